//! The element `<spice-desktop>` as another page uses it: every name of its documented interface that a server has a
//! part in.

use std::path::Path;
use std::time::Duration;

use testsuite::browser::{Browser, DESKTOP, Kind, Page};
use testsuite::console::LIMIT;
use testsuite::gateway::Gateway;
use testsuite::guest::Guest;
use testsuite::process::{Program, args};
use testsuite::temp::TempDir;
use testsuite::{ASK_LIMIT, wait_for};

use crate::input::Log;
use crate::web_guest::{copy, open, pasted};

/// An element of the test's own on the page, connected as an embedder would: `window.vm`, with what it has fired.
fn embed(page: &mut Page<'_>, port: u16) {
    page.run(&format!(
        "{DESKTOP}.disconnect();
         const {{ SpiceDesktop }} = await import(new URL('lib/desktop.js', document.baseURI));
         const vm = window.vm = document.createElement('spice-desktop');
         if (!(vm instanceof SpiceDesktop)) throw new Error('not the element');
         vm.style.cssText = 'position: fixed; inset: 0; z-index: 9; display: block';
         window.fired = [];
         for (const name of ['connect', 'disconnect', 'download', 'statechange', 'transfer', 'clipboardtaken', 'resize']) {{
             vm.addEventListener(name, ({{ detail }}) => window.fired.push([name, detail]));
         }}
         document.body.append(vm);
         const connected = vm.connect('127.0.0.1', {port});
         if (await connected !== vm || vm.state !== 'connected') throw new Error('not connected');"
    ))
    .unwrap();
    page.wait("the agent", "vm.agentConnected").unwrap();
}

#[test]
fn frames_keys_pointer_and_pictures() {
    let mut guest = Guest::start().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = open(&mut browser, &gateway, &guest);
    embed(&mut page, guest.port());
    // Frames put together from their rectangles are the screen.
    page.run(
        "const start = await vm.getImageData();
         window.copied = start;
         window.frames = 0;
         vm.onFrameReceived = ({ rects, pixels, width, height }) => {
             if (width !== start.width || height !== start.height) throw new Error('another size');
             let at = 0;
             for (let index = 0; index < rects.length; index += 4) {
                 const [left, top, columns, rows] = rects.subarray(index, index + 4);
                 for (let row = 0; row < rows; row += 1) {
                     window.copied.data.set(pixels.subarray(at, at + columns * 4), ((top + row) * width + left) * 4);
                     at += columns * 4;
                 }
             }
             if (at !== pixels.length) throw new Error('pixels beyond the rectangles');
             window.frames += 1;
         };",
    )
    .unwrap();
    guest.xspice.fill().unwrap();
    page.wait(
        "frames that make up the screen",
        "window.frames > 0 && (await vm.getImageData()).data.every((value, index) => value === window.copied.data[index])",
    )
    .unwrap();
    page.run("vm.onFrameReceived = null").unwrap();
    let log = Log::start(&mut guest);
    let (down, up) = ("KeyPress", "KeyRelease");
    page.run("vm.sendKeyEvent('KeyA', true); vm.sendKeyEvent('KeyA', false)").unwrap();
    log.wait_still("a name", &[(down, 38), (up, 38)]);
    page.run("vm.sendKeyEvent(0x30, true); vm.sendKeyEvent(0x30, false)").unwrap();
    log.wait_still("a scan code", &[(down, 56), (up, 56)]);
    page.run("vm.sendKey(null, 'KeyQ'); vm.sendKeys(['ShiftLeft', 'KeyW'])").unwrap();
    log.wait_still("combinations", &[(down, 24), (up, 24), (down, 50), (down, 25), (up, 25), (up, 50)]);
    page.run("vm.sendCtrlAltDel()").unwrap();
    log.wait_still("three keys", &[(down, 37), (down, 64), (down, 119), (up, 119), (up, 64), (up, 37)]);
    page.run("vm.sendPointerEvent(321, 123, 1); vm.sendPointerEvent(321, 123, 0); vm.sendWheel(1)").unwrap();
    log.wait_still(
        "a click and the wheel",
        &[("ButtonPress", 1), ("ButtonRelease", 1), ("ButtonPress", 5), ("ButtonRelease", 5)],
    );
    guest.xspice.wait_until_said("the pointer", "xdotool", &["getmouselocation"], "x:321 y:123 ").unwrap();
    // Who only watches does nothing.
    page.run("vm.viewOnly = true; vm.sendKeyEvent('KeyE', true); vm.sendPointerEvent(5, 5, 1); vm.viewOnly = false")
        .unwrap();
    page.run("vm.sendKeyEvent('KeyR', true); vm.sendKeyEvent('KeyR', false)").unwrap();
    log.wait_still("a key after watching", &[(down, 27), (up, 27)]);
    assert!(!log.has(down, 26), "a key of somebody who only watches");
    // A screenshot is a file of the same pixels, once the last key has had its effect.
    let same = "await (async () => { const file = await vm.screenshot();
        const bitmap = await createImageBitmap(file);
        const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
        canvas.drawImage(bitmap, 0, 0);
        const seen = canvas.getImageData(0, 0, bitmap.width, bitmap.height).data;
        const wanted = (await vm.getImageData()).data;
        return file.type === 'image/png' && seen.length === wanted.length && seen.every((value, index) => value === wanted[index]); })()";
    page.wait("a screenshot of the same pixels", same).unwrap();
    // The names of noVNC's modes of scaling.
    let modes =
        "vm.resizeSession = true; const one = vm.scaling; vm.clipViewport = true; const two = vm.scaling;
        vm.scaleViewport = true; return [one, two, vm.scaling].join()";
    assert_eq!(page.run(modes).unwrap(), "follow,none,fit");
    // Sound is a seam as yet: its callback is kept, and nothing calls it.
    assert_eq!(
        page.run("vm.onAudioReceived = () => {}; return typeof vm.onAudioReceived").unwrap(),
        "function"
    );
    page.run("vm.notifyDownLoad({ name: 'a.txt', size: 3, received: 3, blob: new Blob(['abc']) })").unwrap();
    let told = "const [, detail] = window.fired.find(([name]) => name === 'download');
        return `${detail.name} ${detail.size} ${await detail.blob.text()}`";
    assert_eq!(page.run(told).unwrap(), "a.txt 3 abc");
    page.run("vm.disconnect()").unwrap();
    page.wait(
        "word of the end",
        "window.fired.some(([name, { clean, code }]) => name === 'disconnect' && clean && code === 'closed')",
    )
    .unwrap();
    let refused =
        "try { await vm.connect('127.0.0.1', 1); return 'connected' } catch (error) { return error.code }";
    assert_eq!(page.run(refused).unwrap(), "not-allowed");
    page.check().unwrap();
}

#[test]
fn clipboard_resolution_and_files() {
    let mut guest = Guest::start().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = open(&mut browser, &gateway, &guest);
    embed(&mut page, guest.port());
    page.run("await vm.sendClipboardData('by name')").unwrap();
    pasted(&guest, "by name");
    page.wait("word of it", "window.fired.some(([name]) => name === 'clipboardtaken')").unwrap();
    // A picture arrives as the same bytes.
    page.run(
        "const canvas = new OffscreenCanvas(40, 30);
         canvas.getContext('2d').fillRect(3, 4, 5, 6);
         window.png = await canvas.convertToBlob();
         window.bytes = new Uint8Array(await window.png.arrayBuffer());
         await vm.sendClipboardData(window.png);",
    )
    .unwrap();
    let size = page.run("return window.bytes.length").unwrap().as_u64().unwrap();
    let file = guest.download("picture.png");
    let command = format!("exec xclip -o -selection clipboard -t image/png > '{}'", file.display());
    wait_for("the picture in the guest", LIMIT, || {
        let read = guest.xspice.program("sh").args(["-c", &command]).run(ASK_LIMIT);
        let read = read.is_ok_and(|read| read.status.success());
        Ok((read && file.metadata().is_ok_and(|file| file.len() == size)).then_some(()))
    })
    .unwrap();
    // The other way: types first, the content when it is asked for.
    page.run("window.grabs = []; vm.onClipboardDataReceived = (clipboard) => window.grabs.push(clipboard)")
        .unwrap();
    copy(&mut guest, "aus dem Gast");
    page.wait(
        "the text",
        "window.grabs.length > 0 && window.grabs.at(-1).types.includes('text/plain')
            && await window.grabs.at(-1).getText() === 'aus dem Gast'",
    )
    .unwrap();
    let mut arguments = args(&["-quiet", "-selection", "clipboard", "-t", "image/png", "-i"]);
    arguments.push(file.into());
    guest.xspice.launch("xclip", &arguments).unwrap();
    page.wait(
        "the picture",
        "window.grabs.at(-1).types.includes('image/png')
            && new Uint8Array(await (await window.grabs.at(-1).getImage()).arrayBuffer()).join() === window.bytes.join()",
    )
    .unwrap();
    assert_eq!(page.run("return (await vm.setResolution(1000, 700)).join('x')").unwrap(), "1000x700");
    page.wait("the new size", "vm.screenSize.join('x') === '1000x700'").unwrap();
    guest.xspice.wait_until_said("X's own size", "xdpyinfo", &[], "dimensions:    1000x700 pixels").unwrap();
    // By name, with progress, and one that is called off.
    page.run(
        "const file = new File([new Uint8Array(300000).fill(7)], 'seven.bin');
         const transfer = vm.sendFile(file);
         let last = 0;
         transfer.onprogress = (sent) => { last = sent; };
         await transfer.done;
         if (last !== 300000) throw new Error(`only ${last}`);",
    )
    .unwrap();
    let arrived = guest.download("seven.bin");
    wait_for("the file", LIMIT, || {
        Ok((std::fs::read(&arrived).is_ok_and(|bytes| bytes == vec![7; 300_000])).then_some(()))
    })
    .unwrap();
    let called_off = "const transfer = vm.sendFile(new File([new Uint8Array(40000000)], 'large.bin'));
        transfer.onprogress = () => transfer.cancel();
        try { await transfer.done; return 'done' } catch (error) { return `${transfer.sent < transfer.size}: ${error.message}` }";
    let said = page.run(called_off).unwrap();
    assert!(said.as_str().unwrap().starts_with("true: "), "{said}");
    // By dropping it on the page, as users do.
    page.run("vm.remove()").unwrap();
    page.run("document.querySelector('#power').click()").unwrap();
    page.connected().unwrap();
    page.wait("the agent", &format!("{DESKTOP}.agentConnected")).unwrap();
    page.run(
        "const dataTransfer = new DataTransfer();
         dataTransfer.items.add(new File(['dropped'], 'dropped.txt'));
         const target = document.querySelector('.machine.selected');
         for (const name of ['dragover', 'drop']) {
             target.dispatchEvent(new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true }));
         }",
    )
    .unwrap();
    let arrived = guest.download("dropped.txt");
    wait_for("the dropped file", LIMIT, || {
        Ok(std::fs::read(&arrived).is_ok_and(|bytes| bytes == b"dropped").then_some(()))
    })
    .unwrap();
    page.check().unwrap();
}

/// The package's types are those that the README's code needs, and true to the element.
#[test]
fn the_types_compile() {
    let browser = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/web/lib").canonicalize().unwrap();
    // As npm would install it: by its own package.json.
    let folder = TempDir::new("embedder").unwrap();
    let modules = folder.file("node_modules");
    std::fs::create_dir(&modules).unwrap();
    std::os::unix::fs::symlink(package, modules.join("spice-desktop")).unwrap();
    let source = folder.file("embedder.mts");
    std::fs::copy(browser.join("embedder.ts"), &source).unwrap();
    let finished = Program::new("node")
        .folder(folder.path())
        .args([browser.join("node_modules/typescript/lib/tsc.js")])
        .args(args(&[
            "--noEmit",
            "--strict",
            "--target",
            "es2022",
            "--module",
            "nodenext",
            "--lib",
            "es2022,dom",
        ]))
        .args([source])
        .run(Duration::from_secs(120))
        .unwrap();
    assert!(finished.status.success(), "{}", finished.stdout);
}
