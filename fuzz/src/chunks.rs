//! Cutting a stream into chunks, as networks do.

use spice_proto::testing::Source;

/// The chunks of a stream, chosen by other bytes; one chunk for the rest when these run out.
pub(crate) struct Chunks<'a> {
    cuts: Source<'a>,
    stream: &'a [u8],
}

impl<'a> Chunks<'a> {
    /// Takes up to 32 cuts off the front of `bytes`; the rest is the stream.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let (count, rest) = bytes.split_first().map_or((0, bytes), |(first, rest)| (*first & 31, rest));
        let (cuts, stream) = rest.split_at(rest.len().min(count.into()));
        Self { cuts: Source::new(cuts), stream }
    }

    /// The same cuts in another stream.
    pub(crate) fn with_stream<'b>(&self, stream: &'b [u8]) -> Chunks<'b>
    where
        'a: 'b,
    {
        Chunks { cuts: self.cuts.clone(), stream }
    }

    /// The whole stream.
    pub(crate) fn stream(&self) -> &'a [u8] {
        self.stream
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.stream.is_empty() {
            return None;
        }
        let len = if self.cuts.is_empty() { self.stream.len() } else { usize::from(self.cuts.byte()) + 1 };
        let (chunk, rest) = self.stream.split_at(len.min(self.stream.len()));
        self.stream = rest;
        Some(chunk)
    }
}
