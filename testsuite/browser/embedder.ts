// What another project writes against the package; only its types are looked at.

import { SpiceDesktop, type SpiceClipboard, type SpiceError, type SpiceFrame, type SpiceStats } from "spice-desktop";

export async function embed(parent: HTMLElement): Promise<SpiceDesktop> {
    SpiceDesktop.warmUp();
    const vm = document.createElement("spice-desktop");
    parent.append(vm);
    vm.scaling = "follow";
    vm.viewOnly = false;
    vm.passthroughKeys = ["Control+Shift+KeyI"];
    vm.addEventListener("credentialsrequired", ({ detail }) => {
        const text: string = detail.wrong ? "again" : detail.text;
        void vm.sendCredentials({ password: text });
    });
    vm.addEventListener("disconnect", ({ detail: { clean, code, reason } }) => {
        if (!clean && code === "password-wrong") {
            console.log(reason);
        }
    });
    vm.onFrameReceived = ({ rects, pixels, width, height }: SpiceFrame) => {
        const sum: number = rects.length + pixels.length + width + height;
        console.log(sum);
    };
    vm.onClipboardDataReceived = async (clipboard: SpiceClipboard) => {
        const text: string = await clipboard.getText();
        const picture: Blob | null = await clipboard.getImage();
        console.log(text, picture?.size);
    };
    vm.onAudioReceived = null;
    try {
        await vm.connect("vm7.example", 5900, { password: "secret" });
        await vm.connect({ url: "wss://node1.example/vm7" });
    } catch (error) {
        const { code } = error as SpiceError;
        console.log(code);
    }
    vm.sendKeyEvent("KeyA", true);
    vm.sendKeyEvent(0x1e, false);
    vm.sendPointerEvent(100, 100, 1);
    vm.sendCtrlAltDel();
    await vm.sendClipboardData("text");
    await vm.sendClipboardData({ "text/plain": "text", "image/png": new Blob() });
    const [width, height]: [number, number] = await vm.setResolution(1920, 1080);
    const transfer = vm.sendFile(new File([], `${width}x${height}`));
    transfer.onprogress = (sent, size) => console.log(sent / size);
    await transfer.done;
    vm.notifyDownLoad({ name: "a.txt", size: 3, received: 3 });
    const stats: SpiceStats | undefined = await vm.stats();
    console.log(stats?.memoryBytes, stats?.images.quic);
    const picture: Blob | null = await vm.screenshot();
    vm.toBlob((blob) => console.log(blob === picture), "image/jpeg", 0.9);
    vm.dragViewport = vm.focusOnClick;
    vm.qualityLevel = 9;
    vm.compressionLevel = 2;
    const level: number | null = vm.compressionLevel;
    console.log(level, vm.toDataURL("image/png").length, vm.shownCanvas().width);
    vm.addEventListener("securityfailure", ({ detail: { status, reason } }) => console.log(status.toFixed(), reason));
    // @ts-expect-error: there is no such way of scaling.
    vm.scaling = "stretch";
    // @ts-expect-error: a key is a name or a number.
    vm.sendKeyEvent(null, true);
    return vm;
}
