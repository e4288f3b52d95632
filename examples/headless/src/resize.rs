//! Another size for the guest's screen.

use std::str::FromStr;

use serde_json::json;
use spice_client::agent::Monitor;
use spice_proto::types::ChannelType;

use crate::error::Error;
use crate::report::Report;
use crate::session::{Options, Session};

/// Gives the guest's screen another size and waits until it has followed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,

    /// Size of each monitor, WIDTHxHEIGHT, from left to right.
    #[arg(required = true)]
    sizes: Vec<Wanted>,
}

/// A size in pixels.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    width: u32,
    height: u32,
}

impl FromStr for Wanted {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
        match parts {
            Some((width, height)) if width > 0 && height > 0 => Ok(Self { width, height }),
            _ => Err("write it as WIDTHxHEIGHT, such as 1280x720"),
        }
    }
}

pub(crate) async fn run(args: Args, report: Report) -> Result<(), Error> {
    let mut session = Session::connect(&args.options, &[ChannelType::DISPLAY])?;
    session.agent().await?;
    let mut left: i32 = 0;
    let monitors: Vec<_> = args
        .sizes
        .iter()
        .map(|size| {
            let x = left;
            left = left.saturating_add(i32::try_from(size.width).unwrap_or(i32::MAX));
            Monitor::new(size.width, size.height).at(x, 0)
        })
        .collect();
    let answer = session.handle().set_monitors(&monitors);
    let sizes = session.run(answer).await?;
    session.leave().await;
    let text: Vec<_> = sizes.iter().map(|size| format!("{}x{}", size.width, size.height)).collect();
    let told: Vec<_> =
        sizes.iter().map(|size| json!({ "width": size.width, "height": size.height })).collect();
    report.tell(&text.join(" "), &json!({ "monitors": told }))?;
    let wanted: Vec<_> = args.sizes.iter().map(|size| format!("{}x{}", size.width, size.height)).collect();
    if text == wanted {
        return Ok(());
    }
    Err(Error::InPart(format!("the guest has made {} of {}", text.join(" "), wanted.join(" "))))
}
