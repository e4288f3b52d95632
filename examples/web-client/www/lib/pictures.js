// Pictures of the screen, in the shapes that pages want. Part of <spice-desktop>.

/** What the library gives, as ImageData; null for none. */
export function image(picture) {
    if (!picture?.width || !picture.height) {
        return null;
    }
    return new ImageData(new Uint8ClampedArray(picture.pixels.buffer), picture.width, picture.height);
}

/** ImageData as a picture file. */
export function encoded(data, type, quality) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [data.width, data.height];
    canvas.getContext("2d").putImageData(data, 0, 0);
    return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
}

/** A copy of a canvas as the page shows it, in the size of the machine's screen; empty while there is none. */
export function copied(screen, [width, height]) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    if (screen && width && height) {
        canvas.getContext("2d").drawImage(screen, 0, 0, width, height);
    }
    return canvas;
}
