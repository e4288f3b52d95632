//! Keys and texts.

use std::io::Read;

use clap::Args;
use serde_json::json;
use spice_client::keyboard::{Combination, Layout};
use spice_proto::types::ChannelType;

use crate::error::Error;
use crate::report::Report;
use crate::session::{Options, Session};

/// Presses keys and combinations.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    options: Options,

    /// What to press, one after the other: Ctrl+Alt+Del, F2, super+l, a.
    #[arg(required = true)]
    keys: Vec<Combination>,
}

/// Types a text.
#[derive(Debug, Args)]
pub(crate) struct TypeArgs {
    #[command(flatten)]
    options: Options,

    /// The text; `-` takes it from standard input.
    #[arg(allow_hyphen_values = true)]
    text: String,

    /// The guest's keyboard layout: us, gb, de, fr, es, it or jp.
    #[arg(long, default_value_t = Layout::Us)]
    layout: Layout,

    /// Presses Enter behind it.
    #[arg(long)]
    enter: bool,
}

pub(crate) async fn key(args: KeyArgs, report: Report) -> Result<(), Error> {
    let mut session = Session::connect(&args.options, &[ChannelType::INPUTS])?;
    session.inputs().await?;
    for combination in &args.keys {
        session.handle().press_combination(combination)?;
    }
    session.inputs_taken().await?;
    session.leave().await;
    report.tell("", &json!({ "pressed": args.keys.len() }))
}

pub(crate) async fn type_text(args: TypeArgs, report: Report) -> Result<(), Error> {
    let mut text = args.text.clone();
    if text == "-" {
        text.clear();
        std::io::stdin().read_to_string(&mut text).map_err(Error::Input)?;
    }
    if args.enter {
        text.push('\n');
    }
    let mut session = Session::connect(&args.options, &[ChannelType::INPUTS])?;
    session.inputs().await?;
    let answer = session.handle().type_text(&text, args.layout);
    let untypable = session.run(answer).await?;
    session.inputs_taken().await?;
    session.leave().await;
    let missing: String = untypable.iter().collect();
    report.tell(
        "",
        &json!({ "typed": text.chars().filter(|c| !untypable.contains(c)).count(), "untypable": missing }),
    )?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::InPart(format!(
        "the layout {} cannot make these characters: {missing}; type them with another --layout if the guest has it",
        args.layout
    )))
}
