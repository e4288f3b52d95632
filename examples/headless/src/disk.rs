//! A file that comes into being with its first bytes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

/// Writes to a file that is created, or emptied, when the first bytes are there: what stood in it is not lost to an
/// attempt that brings nothing.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Disk {
    /// Nothing on the disk yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_none() && !bytes.is_empty() {
            self.file = Some(BufWriter::with_capacity(1 << 20, File::create(&self.path)?));
        }
        self.file.as_mut().map_or(Ok(0), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_by_the_first_bytes_and_not_before() {
        let path = std::env::temp_dir().join(format!("headless-disk-{}", std::process::id()));
        std::fs::write(&path, "kept").unwrap();
        let mut disk = Disk::new(path.clone());
        disk.flush().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"kept");
        disk.write_all(b"new").unwrap();
        disk.flush().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new", "flushed while it is still open");
        drop(disk);
        std::fs::remove_file(&path).unwrap();
    }
}
