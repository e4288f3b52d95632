//! Our client, which hands images on as they come and draws nothing.

use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use futures::StreamExt;
use spice_client::transport::tokio::Tokio;
use spice_client::{ClientConfig, Event};
use spice_proto::msg::display::{ImageData, ServerMessage};
use spice_proto::types::{ChannelType, SurfaceId};
use testsuite::net;

use crate::server::Mode;

/// The images that a client in a thread of its own gets for surfaces other than the visible one.
pub(crate) struct Images(Receiver<Result<Received, String>>);

/// How an image was compressed, and its bytes.
pub(crate) type Received = (Mode, usize);

impl Images {
    /// Connects, and waits for the visible surface.
    pub(crate) fn connect(port: u16) -> Result<Self, String> {
        let mut config: ClientConfig = format!("spice://{}", net::loopback(port))
            .parse()
            .map_err(|error| format!("address: {error}"))?;
        config.session = config.session.clone().channels(&[ChannelType::DISPLAY]);
        let (sender, images) = mpsc::channel();
        thread::spawn(move || {
            let outcome = run(config, |image| drop(sender.send(Ok(image))));
            sender.send(Err(outcome.err().unwrap_or("the session ended".into())))
        });
        let images = Self(images);
        images.next()?;
        Ok(images)
    }

    /// How the next image is compressed, and its bytes.
    pub(crate) fn next(&self) -> Result<Received, String> {
        self.0.recv_timeout(PATIENCE).map_err(|error| format!("no image: {error}"))?
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

fn run(config: ClientConfig, mut take: impl FnMut(Received)) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("no runtime: {error}"))?.block_on(async {
        let (mut client, driver) = spice_client::connect(Tokio::new(), config);
        tokio::spawn(driver);
        while let Some(event) = client.next().await {
            let Event::Display(_, message) = event.map_err(|error| error.to_string())? else { continue };
            if let ServerMessage::Mark = message {
                take((Mode::Off, 0));
            }
            if let ServerMessage::DrawCopy(copy) = message
                && copy.base.surface_id != SurfaceId::PRIMARY
                && let Some(image) = &copy.src_bitmap
            {
                match &image.data {
                    ImageData::Bitmap(bitmap) => take((Mode::Off, bitmap.rows.bytes().len())),
                    ImageData::Quic(data) => take((Mode::Quic, data.len())),
                    ImageData::LzRgb(data) => take((Mode::Lz, data.len())),
                    other => return Err(format!("an image of kind {:?}", other.kind())),
                }
            }
        }
        Ok(())
    })
}
