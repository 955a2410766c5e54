//! The guest's linear memory, as seen by the imports.
//!
//! Every pointer and length from a guest is checked here against the memory's size and, if the ABI requires one, its
//! alignment. A pointer out of bounds is [`Errno::FAULT`], a misaligned one [`Errno::INVAL`]. No value from a guest
//! causes a panic.

use std::ops::Range;

use smallvec::SmallVec;

use crate::p1::errno::Errno;

/// The maximum number of buffers in one call, the same as on POSIX hosts.
pub(crate) const MAX_BUFFERS: u32 = 1024;

/// One buffer of the guest, checked: `offset..offset + len` lies in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buffer {
    pub(crate) offset: usize,
    pub(crate) len: usize,
}

/// The buffers of one call. Eight fit without an allocation.
pub(crate) type Buffers = SmallVec<[Buffer; 8]>;

/// A view of the whole linear memory.
pub(crate) struct GuestMemory<'a>(pub(crate) &'a mut [u8]);

impl GuestMemory<'_> {
    /// Checks that `len` bytes at `ptr`, aligned to `align`, are in memory.
    pub(crate) fn range(&self, ptr: u32, len: usize, align: usize) -> Result<Range<usize>, Errno> {
        let start = ptr as usize;
        if !start.is_multiple_of(align) {
            return Err(Errno::INVAL);
        }
        let end = start.checked_add(len).ok_or(Errno::FAULT)?;
        if end > self.0.len() {
            return Err(Errno::FAULT);
        }
        Ok(start..end)
    }

    pub(crate) fn bytes(&self, ptr: u32, len: u32) -> Result<&[u8], Errno> {
        let range = self.range(ptr, len as usize, 1)?;
        Ok(&self.0[range])
    }

    fn array<const N: usize>(&self, ptr: u32, align: usize) -> Result<[u8; N], Errno> {
        let range = self.range(ptr, N, align)?;
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.0[range]);
        Ok(bytes)
    }

    pub(crate) fn read_u16(&self, ptr: u32) -> Result<u16, Errno> {
        self.array(ptr, 2).map(u16::from_le_bytes)
    }

    pub(crate) fn read_u32(&self, ptr: u32) -> Result<u32, Errno> {
        self.array(ptr, 4).map(u32::from_le_bytes)
    }

    pub(crate) fn write(&mut self, ptr: u32, align: usize, bytes: &[u8]) -> Result<(), Errno> {
        let range = self.range(ptr, bytes.len(), align)?;
        self.0[range].copy_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn write_u16(&mut self, ptr: u32, value: u16) -> Result<(), Errno> {
        self.write(ptr, 2, &value.to_le_bytes())
    }

    pub(crate) fn write_u32(&mut self, ptr: u32, value: u32) -> Result<(), Errno> {
        self.write(ptr, 4, &value.to_le_bytes())
    }

    /// Reads an array of `count` pairs of pointer and length, and checks each. Empty buffers are left out.
    pub(crate) fn buffers(&self, ptr: u32, count: u32) -> Result<Buffers, Errno> {
        if count > MAX_BUFFERS {
            return Err(Errno::INVAL);
        }
        let table = self.range(ptr, count as usize * 8, 4)?;
        let mut buffers = Buffers::new();
        for entry in self.0[table].chunks_exact(8) {
            let offset = u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]);
            let len = u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]);
            let range = self.range(offset, len as usize, 1)?;
            if !range.is_empty() {
                buffers.push(Buffer { offset: range.start, len: range.len() });
            }
        }
        Ok(buffers)
    }
}

/// Splits memory into the given buffers, in order, for writing.
///
/// # Errors
///
/// `INVAL` if two of them overlap, because the content of the shared bytes would be unspecified.
pub(crate) fn split_mut<'a>(
    mut memory: &'a mut [u8],
    buffers: &[Buffer],
) -> Result<SmallVec<[&'a mut [u8]; 8]>, Errno> {
    let mut by_offset: SmallVec<[usize; 8]> = (0..buffers.len()).collect();
    by_offset.sort_unstable_by_key(|&i| buffers[i].offset);
    let mut parts: SmallVec<[&'a mut [u8]; 8]> = buffers.iter().map(|_| &mut [][..]).collect();
    let mut consumed = 0;
    for i in by_offset {
        let Buffer { offset, len } = buffers[i];
        let skip = offset.checked_sub(consumed).ok_or(Errno::INVAL)?;
        let (part, rest) = memory.split_at_mut(skip).1.split_at_mut(len);
        parts[i] = part;
        memory = rest;
        consumed = offset + len;
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_inside_memory() {
        let mut bytes = [0; 16];
        let memory = GuestMemory(&mut bytes);
        assert_eq!(memory.range(8, 8, 8), Ok(8..16));
        assert_eq!(memory.range(9, 8, 1), Err(Errno::FAULT));
        assert_eq!(memory.range(9, 4, 2), Err(Errno::INVAL));
        assert_eq!(memory.range(u32::MAX, u32::MAX as usize, 1), Err(Errno::FAULT));
        assert_eq!(memory.range(16, 0, 1), Ok(16..16));
        assert_eq!(memory.range(17, 0, 1), Err(Errno::FAULT));
    }

    #[test]
    fn buffers_are_checked_one_by_one() {
        let mut bytes = [0; 64];
        bytes[0..4].copy_from_slice(&32u32.to_le_bytes());
        bytes[4..8].copy_from_slice(&32u32.to_le_bytes());
        bytes[8..12].copy_from_slice(&33u32.to_le_bytes());
        bytes[12..16].copy_from_slice(&32u32.to_le_bytes());
        let memory = GuestMemory(&mut bytes);
        assert_eq!(memory.buffers(0, 1).map(|b| b.len()), Ok(1));
        assert_eq!(memory.buffers(0, 2).map(|b| b.len()), Err(Errno::FAULT));
        assert_eq!(memory.buffers(1, 1).map(|b| b.len()), Err(Errno::INVAL));
        assert_eq!(memory.buffers(0, u32::MAX).map(|b| b.len()), Err(Errno::INVAL));
        assert_eq!(memory.buffers(56, 2).map(|b| b.len()), Err(Errno::FAULT));
    }

    #[test]
    fn splitting_keeps_the_order_and_refuses_overlap() {
        let mut bytes: Vec<u8> = (0..32).collect();
        let buffers = [Buffer { offset: 20, len: 4 }, Buffer { offset: 3, len: 2 }];
        {
            let parts = split_mut(&mut bytes, &buffers).unwrap();
            assert_eq!(parts[0], [20, 21, 22, 23]);
            assert_eq!(parts[1], [3, 4]);
        }
        let overlapping = [Buffer { offset: 3, len: 4 }, Buffer { offset: 6, len: 1 }];
        assert_eq!(split_mut(&mut bytes, &overlapping).map(|_| ()), Err(Errno::INVAL));
    }
}
