//! Pointers of all types, and several displays with a cursor channel each, from the library's own channels.
//!
//! A pointer has no picture of the server's to compare with: what is expected is what its shape was made from.

use std::process::ExitCode;

use spice_client::canvas::Cursor;
use spice_proto::types::{Point16, SurfaceId};

use crate::admit::{Ground, disturbs};
use crate::child::difference;
use crate::choice::Choice;
use crate::device::Handle;
use crate::encode::encode;
use crate::generate;
use crate::pointer::{self, Dot, Shape};
use crate::scene::{Format, Image, Op, SurfaceSpec};
use crate::server::Mode;
use crate::watcher::{Seen, Watcher};

/// Displays of the server.
const DISPLAYS: u8 = 3;
/// Pointer shapes for each display: every type several times.
const SHAPES: u64 = 6 * pointer::KINDS as u64;
/// Scenes for each display.
const SCENES: u32 = 6;

/// Runs everything, and says what it was.
pub(crate) fn serve(seed: u64) -> ExitCode {
    let primaries = (0..DISPLAYS)
        .map(|id| SurfaceSpec {
            id: 0,
            format: Format::Xrgb,
            width: 64 + 8 * u32::from(id),
            height: 48,
            bottom_up: false,
        })
        .collect::<Vec<_>>();
    crate::serve_with(Mode::AutoGlz, &primaries, move |devices, port| match run(seed, &devices, port) {
        Ok(said) => {
            println!("{said}");
            0
        }
        Err(error) => {
            eprintln!("error: seed {seed}: {error}");
            1
        }
    })
}

fn run(seed: u64, devices: &[Handle], port: u16) -> Result<String, String> {
    let viewer = Watcher::connect(port)?;
    viewer.until("every display and its pointer", |seen| {
        let displays = (0..DISPLAYS).filter(|id| seen.displays.canvas(*id).is_some_and(|c| c.is_marked()));
        displays.count() == usize::from(DISPLAYS) && seen.cursors.len() == usize::from(DISPLAYS)
    })?;
    let pixels =
        (0..SCENES).try_fold(0, |sum, number| scene(seed, number, devices, &viewer).map(|n| sum + n))?;
    for id in 0..DISPLAYS {
        pointers(seed, id, &devices[usize::from(id)], &viewer)?;
    }
    let seen = viewer.seen();
    if !seen.undrawn.is_empty() {
        return Err(format!("left undrawn: {}", seen.undrawn.join(", ")));
    }
    let cached = seen.from_cache;
    if cached == 0 {
        return Err("the server used the cache for no shape".into());
    }
    Ok(format!(
        "channels: {} displays, {pixels} commands, every pixel as the server's; {} shapes of {} types as they were made, \
         {cached} more from the cache",
        DISPLAYS,
        SHAPES * u64::from(DISPLAYS),
        pointer::KINDS
    ))
}

/// Draws on all displays by turns; then every display must be like its device's.
fn scene(seed: u64, number: u32, devices: &[Handle], viewer: &Watcher) -> Result<usize, String> {
    let scenes: Vec<_> = (0..u32::from(DISPLAYS)).map(|id| generate::scene(seed, number * 16 + id)).collect();
    let mut grounds: Vec<_> = scenes.iter().map(|_| Ground::new(Mode::AutoGlz.loses_padding())).collect();
    let mut drawn = 0;
    for (scene, device) in scenes.iter().zip(devices) {
        device.replace_primary(&scene.surfaces[0])?;
    }
    let most = scenes.iter().map(|scene| scene.commands.len()).max().unwrap_or_default();
    for at in 0..most {
        for ((scene, device), ground) in scenes.iter().zip(devices).zip(&mut grounds) {
            let Some(command) = scene.commands.get(at) else { continue };
            // Off-screen surfaces are what `run` is for.
            let alone = !command.images().iter().any(|image| matches!(image, Image::Surface(_)));
            let lasting = matches!(command.op, Op::Recreate) || !disturbs(command).is_empty();
            if command.surface == 0 && alone && !lasting && ground.admit(scene, command).is_ok() {
                device.draw(encode(scene, command))?;
                drawn += 1;
            }
        }
    }
    for (((id, scene), device), ground) in (0..).zip(&scenes).zip(devices).zip(&grounds) {
        let spec = &scene.surfaces[0];
        device.wake();
        device.update(spec);
        let expected = device.pixels(spec, device.primary());
        let differs = |seen: &Seen| {
            let view = seen.displays.canvas(id)?.view(SurfaceId(0))?;
            let ours: Vec<u8> = (0..view.height()).flat_map(|y| view.row(y)).copied().collect();
            difference(spec, ground.undefined_bits(spec), &expected, &ours)
        };
        let arrived = |seen: &Seen| seen.displays.canvas(id).is_some_and(|c| c.primary().is_some());
        let same = viewer.until("the server's picture", |seen| arrived(seen) && differs(seen).is_none());
        if let Err(error) = same {
            let how = differs(&viewer.seen()).unwrap_or_default();
            return Err(format!("display {id}, scene {number}: {error}: {how}"));
        }
        device.reset_image_cache();
    }
    Ok(drawn)
}

/// Shapes, places and visibility of one display's pointer.
fn pointers(seed: u64, id: u8, device: &Handle, viewer: &Watcher) -> Result<(), String> {
    let c = &mut Choice::new(seed ^ u64::from(id) << 40);
    let mut shapes: Vec<Shape> = Vec::new();
    for number in 0..SHAPES {
        let unique = u64::from(id) << 32 | (number + 1);
        shapes.push(Shape::new(c, unique, (number % u64::from(pointer::KINDS)) as u16));
        let mut order = vec![shapes.len() - 1];
        if c.percent(50) {
            order.push(c.below(shapes.len() as u32) as usize);
        }
        for shape in order.into_iter().map(|at| &shapes[at]) {
            let (x, y) = (c.between(-20, 90) as i16, c.between(-20, 70) as i16);
            device.pointer(shape.command(x, y))?;
            device.pointer(pointer::moved(x, y))?;
            let place = Point16 { x, y };
            let what = format!("shape {unique:#x} of type {}", shape.kind);
            viewer.until(&what, |seen| {
                seen.shape.get(&id) == Some(&shape.unique)
                    && seen.cursors[&id].position() == place
                    && seen.cursors[&id].is_visible()
            })?;
            compare(shape, &viewer.seen().cursors[&id]).map_err(|error| format!("{what}: {error}"))?;
        }
        if c.percent(20) {
            device.pointer(pointer::hidden())?;
            viewer.until("the pointer to hide", |seen| !seen.cursors[&id].is_visible())?;
        }
    }
    Ok(())
}

fn compare(shape: &Shape, cursor: &Cursor) -> Result<(), String> {
    let picture = cursor.picture().ok_or("no shape is shown")?;
    let size = (u32::from(shape.width), u32::from(shape.height));
    if (picture.width(), picture.height()) != size {
        return Err(format!("{}x{} instead of {size:?}", picture.width(), picture.height()));
    }
    let hot = (u32::from(shape.hot.0), u32::from(shape.hot.1));
    if picture.hot_spot() != hot {
        return Err(format!("hot spot {:?} instead of {hot:?}", picture.hot_spot()));
    }
    for (at, (dot, rgba)) in shape.dots.iter().zip(picture.rgba().as_chunks::<4>().0).enumerate() {
        let inverts = picture.inverts().is_some_and(|all| all[at]);
        let ours = if inverts { Dot::Inverts } else { Dot::Shows(*rgba) };
        if ours != *dot {
            let (x, y) = (at as u32 % size.0, at as u32 / size.0);
            return Err(format!("({x}, {y}) of {size:?} is {ours:?} instead of {dot:?}"));
        }
    }
    Ok(())
}
