//! Integration tests, a module per topic.

mod clipboard;
mod file_xfer;
mod frames;
mod guest;
mod hostile;
mod life_cycle;
mod loopback;
mod messages;
mod peers;

use bytes::Bytes;

/// The bytes that hexadecimal digits stand for; everything behind `//` in a line is a remark.
fn hex(text: &str) -> Bytes {
    let digits: Vec<u8> = text
        .lines()
        .flat_map(|line| line.split("//").next().unwrap_or_default().chars())
        .filter(|c| !c.is_whitespace())
        .map(|c| u8::try_from(c.to_digit(16).unwrap_or_else(|| panic!("{c} is no digit"))).unwrap())
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
