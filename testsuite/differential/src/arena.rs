//! Device memory: one block that the library reads commands from and draws into.

use std::collections::BTreeMap;
use std::ptr;

/// Bytes of device memory.
const SIZE: usize = 192 << 20;
/// Slot 1, generation 5, in the topmost two bytes of a device address.
const SLOT: u64 = 1 << 56 | 5 << 48;
pub(crate) const SLOT_ID: u32 = 1;
pub(crate) const GENERATION: u32 = 5;
pub(crate) const ADDRESS_BITS: u8 = 8;

/// Device memory with its free places.
#[derive(Debug)]
pub(crate) struct Arena {
    base: *mut u8,
    /// Free places: length by offset, neighbours joined.
    free: BTreeMap<usize, usize>,
    used: BTreeMap<usize, usize>,
}

// SAFETY: the memory is never freed, and whoever has the arena has the only handle for writing into free places.
unsafe impl Send for Arena {}

impl Arena {
    /// Zeroed memory that lives as long as the process.
    pub(crate) fn new() -> Self {
        let base = Box::leak(vec![0_u8; SIZE].into_boxed_slice()).as_mut_ptr();
        // Nothing may lie at the address of null pointers.
        Self { base, free: BTreeMap::from([(64, SIZE - 64)]), used: BTreeMap::new() }
    }

    /// First and last address as the process sees them.
    pub(crate) fn range(&self) -> (usize, usize) {
        (self.base as usize, self.base as usize + SIZE)
    }

    /// Bytes of the whole.
    pub(crate) fn size(&self) -> u32 {
        SIZE as u32
    }

    /// The device address of an offset.
    pub(crate) fn address(offset: usize) -> u64 {
        SLOT | offset as u64
    }

    /// Takes a place; `None` if no free one is large enough.
    pub(crate) fn take(&mut self, len: usize) -> Option<usize> {
        let len = len.max(1).next_multiple_of(16);
        let (&at, &have) = self.free.iter().find(|(_, have)| **have >= len)?;
        self.free.remove(&at);
        if have > len {
            self.free.insert(at + len, have - len);
        }
        self.used.insert(at, len);
        Some(at)
    }

    /// Gives a place back.
    pub(crate) fn give_back(&mut self, at: usize) {
        let Some(mut len) = self.used.remove(&at) else { return };
        let mut at = at;
        if let Some(next) = self.free.remove(&(at + len)) {
            len += next;
        }
        if let Some((&before, &have)) = self.free.range(..at).next_back()
            && before + have == at
        {
            self.free.remove(&before);
            (at, len) = (before, have + len);
        }
        self.free.insert(at, len);
    }

    /// Gives a place back by its address in the process.
    pub(crate) fn give_back_address(&mut self, address: usize) {
        self.give_back(address.wrapping_sub(self.base as usize));
    }

    /// Writes into a place that was taken.
    pub(crate) fn write(&mut self, at: usize, data: &[u8]) {
        assert!(at + data.len() <= SIZE);
        // SAFETY: the range lies inside the block, and the library does not read a place before it is told of it.
        unsafe { ptr::copy_nonoverlapping(data.as_ptr(), self.base.add(at), data.len()) };
    }

    /// Copies out of a place.
    pub(crate) fn read(&self, at: usize, data: &mut [u8]) {
        assert!(at + data.len() <= SIZE);
        // SAFETY: the range lies inside the block; the caller reads surfaces when the library has finished drawing.
        unsafe { ptr::copy_nonoverlapping(self.base.add(at), data.as_mut_ptr(), data.len()) };
    }
}

/// Bytes of a command and of everything it points to, with pointers that are filled in when their place is known.
#[derive(Debug, Default)]
pub(crate) struct Block {
    data: Vec<u8>,
    pointers: Vec<(usize, usize)>,
}

impl Block {
    /// Adds bytes and returns where they begin.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> usize {
        let at = self.data.len();
        self.data.extend_from_slice(bytes);
        at
    }

    /// Overwrites bytes.
    pub(crate) fn set(&mut self, at: usize, bytes: &[u8]) {
        self.data[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Makes the eight bytes at `at` point to `target`.
    pub(crate) fn point(&mut self, at: usize, target: usize) {
        self.pointers.push((at, target));
    }

    /// Where the next bytes will begin.
    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    /// The bytes for a place at `offset`.
    pub(crate) fn place(mut self, offset: usize) -> Vec<u8> {
        for (at, target) in self.pointers {
            let address = Arena::address(offset + target);
            self.data[at..at + 8].copy_from_slice(&address.to_le_bytes());
        }
        self.data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_join_again() {
        let mut arena = Arena::new();
        let before = arena.free.clone();
        let places: Vec<usize> = (1..20).map(|n| arena.take(n * 100).expect("room")).collect();
        for at in places.iter().step_by(2).chain(places.iter().skip(1).step_by(2)) {
            arena.give_back(*at);
        }
        assert_eq!((arena.free, arena.used.len()), (before, 0));
    }
}
