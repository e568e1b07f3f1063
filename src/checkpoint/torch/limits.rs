//! A pickle's stack and memo, simulated with weights in place of values.
//!
//! candle's reader copies a value whenever it is put into the memo or taken out of it, frees nested values by recursion
//! and believes some lengths. A few hundred bytes can therefore ask for any amount of memory (`t = (t, t)`, again and
//! again) or overflow the call stack. Here the same instructions are followed with only each value's depth and size, so
//! that such a pickle is refused before the reader sees it. The simulation also refuses whatever the reader would.

use std::collections::HashMap;
use std::path::Path;

use super::super::CheckpointError;
use super::opcodes::{Instruction, instructions, little_endian};
use crate::wording::Words;
use crate::words;

/// Nesting of values; a checkpoint with optimizer state has about 12.
const DEEPEST: u32 = 128;
/// Bytes that the reader may allocate for values in all, copies included. A state_dict of 10,000 tensors takes about 100 MB
/// by this count, which is an upper bound.
const MOST_BYTES: u64 = 512 << 20;
/// Upper bound for one value in a vector that has just doubled.
const VALUE_BYTES: u64 = 128;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mark,
    Dict,
    List,
    /// A class whose call gives a dict.
    DictClass,
    Other,
}

#[derive(Debug, Clone, Copy)]
struct Value {
    kind: Kind,
    depth: u32,
    bytes: u64,
}

/// Refuse a pickle that needs too much memory, nests too deep, uses instructions that the reader does not know, or is
/// not consistent.
pub(super) fn check(path: &Path, pickle: &[u8]) -> Result<(), CheckpointError> {
    let mut machine = Machine::default();
    for instruction in instructions(pickle) {
        instruction
            .map_err(Refusal::Damaged)
            .and_then(|instruction| machine.step(&instruction))
            .map_err(|refusal| match refusal {
                Refusal::Damaged(detail) => CheckpointError::damaged(path, detail),
                Refusal::Unusual(detail) => CheckpointError::unsupported(
                    path,
                    detail,
                    "load it with torch where you trust it, and save its state_dict with torch.save's defaults \
                     or as safetensors",
                ),
            })?;
    }
    Ok(())
}

enum Refusal {
    Damaged(Words),
    Unusual(Words),
}

fn damaged<T>(detail: &'static str) -> Result<T, Refusal> {
    Err(Refusal::Damaged(words!(
        "its pickle is inconsistent ({})",
        detail
    )))
}

#[derive(Default)]
struct Machine {
    stack: Vec<Value>,
    memo: HashMap<usize, Value>,
    allocated: u64,
}

impl Machine {
    fn step(&mut self, instruction: &Instruction) -> Result<(), Refusal> {
        let argument = instruction.argument;
        match instruction.opcode {
            0x80 => Ok(()),
            b'(' => self.push(Kind::Mark, 0, 0),
            b'}' => self.push(Kind::Dict, 1, 0),
            b']' => self.push(Kind::List, 1, 0),
            b')' => self.push(Kind::Other, 1, 0),
            b'N' | 0x88 | 0x89 | b'K' | b'M' | b'J' | b'G' => self.push(Kind::Other, 1, 0),
            0x8a if argument.len() <= 8 => self.push(Kind::Other, 1, 0),
            0x8a => Err(Refusal::Unusual(words!(
                "its pickle holds an integer of {} bytes",
                argument.len()
            ))),
            b'X' => match std::str::from_utf8(argument) {
                Ok(text) => self.push(Kind::Other, 1, text.len() as u64),
                Err(_) => damaged("a string is not UTF-8"),
            },
            b'c' => {
                let name = (argument, instruction.second);
                let dict = [&b"OrderedDict"[..], b"defaultdict"].contains(&name.1);
                let kind = match name.0 == b"collections" && dict {
                    true => Kind::DictClass,
                    false => Kind::Other,
                };
                // Names may be longer once invalid bytes are replaced.
                let text = 3 * (name.0.len() + name.1.len()) as u64;
                self.push(kind, 1, text)
            }
            b't' => {
                let (depth, bytes) = self.pop_to_mark()?;
                self.push_made(Kind::Other, depth + 1, bytes)
            }
            0x85..=0x87 => {
                let (mut depth, mut bytes) = (0, 0);
                for _ in 0x84..instruction.opcode {
                    let item = self.pop()?;
                    (depth, bytes) = (depth.max(item.depth), bytes + item.bytes);
                }
                self.push_made(Kind::Other, depth + 1, bytes)
            }
            b'Q' => {
                let id = self.pop()?;
                self.push_made(Kind::Other, id.depth + 1, id.bytes)
            }
            b'R' | 0x81 => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                let dict = callable.kind == Kind::DictClass && instruction.opcode == b'R';
                let kind = if dict { Kind::Dict } else { Kind::Other };
                let depth = arguments.depth.max(callable.depth) + 1;
                self.push_made(kind, depth, arguments.bytes + callable.bytes)
            }
            b'b' => {
                let (state, object) = (self.pop()?, self.pop()?);
                let dict = (object.kind, state.kind) == (Kind::Dict, Kind::Dict);
                let kind = if dict { Kind::Dict } else { Kind::Other };
                let depth = state.depth.max(object.depth) + 1;
                self.push_made(kind, depth, state.bytes + object.bytes)
            }
            b'a' => {
                let item = self.pop()?;
                self.extend(Kind::List, item.depth, item.bytes)
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.extend(
                    Kind::Dict,
                    value.depth.max(key.depth),
                    value.bytes + key.bytes,
                )
            }
            b'e' => {
                let (depth, bytes) = self.pop_to_mark()?;
                self.extend(Kind::List, depth, bytes)
            }
            b'u' => {
                let before = self.stack.len();
                let (depth, bytes) = self.pop_to_mark()?;
                // The mark itself was popped too.
                if (before - self.stack.len()).is_multiple_of(2) {
                    return damaged("a key without a value");
                }
                self.extend(Kind::Dict, depth, bytes)
            }
            b'q' | b'r' => {
                let value = self.top()?;
                self.copy(value)?;
                self.memo.insert(little_endian(argument), value);
                Ok(())
            }
            b'h' | b'j' => match self.memo.get(&little_endian(argument)).copied() {
                Some(value) => {
                    self.copy(value)?;
                    self.stack.push(value);
                    Ok(())
                }
                None => damaged("a value is used before it is stored"),
            },
            b'.' => self.top().map(|_| ()),
            opcode => Err(Refusal::Unusual(words!(
                "its pickle uses instruction {:#04x}, which torch.save's default protocol 2 does not",
                opcode
            ))),
        }
    }

    /// Push a new value of `payload` bytes.
    fn push(&mut self, kind: Kind, depth: u32, payload: u64) -> Result<(), Refusal> {
        self.allocate(VALUE_BYTES + payload)?;
        self.stack.push(Value {
            kind,
            depth,
            bytes: VALUE_BYTES + payload,
        });
        Ok(())
    }

    /// Push a value made of others that were moved into it.
    fn push_made(&mut self, kind: Kind, depth: u32, content: u64) -> Result<(), Refusal> {
        if depth > DEEPEST {
            return Err(Refusal::Unusual(words!(
                "its pickle nests values more than {} deep",
                DEEPEST
            )));
        }
        // The content moves into a vector of its own.
        self.allocate(VALUE_BYTES)?;
        self.stack.push(Value {
            kind,
            depth,
            bytes: VALUE_BYTES + content,
        });
        Ok(())
    }

    /// Move values into the list or dict on top.
    fn extend(&mut self, kind: Kind, depth: u32, content: u64) -> Result<(), Refusal> {
        let target = self.pop()?;
        if target.kind != kind {
            return damaged("items are added to what holds none");
        }
        self.push_made(kind, target.depth.max(depth + 1), target.bytes + content)
    }

    fn copy(&mut self, value: Value) -> Result<(), Refusal> {
        self.allocate(value.bytes)
    }

    fn allocate(&mut self, bytes: u64) -> Result<(), Refusal> {
        self.allocated = self.allocated.saturating_add(bytes);
        match self.allocated > MOST_BYTES {
            true => Err(Refusal::Unusual(words!(
                "its pickle unfolds to more than {} MB, far more than a list of tensors",
                MOST_BYTES >> 20
            ))),
            false => Ok(()),
        }
    }

    fn top(&self) -> Result<Value, Refusal> {
        match self.stack.last() {
            Some(value) if value.kind != Kind::Mark => Ok(*value),
            _ => damaged("a value is missing"),
        }
    }

    fn pop(&mut self) -> Result<Value, Refusal> {
        let value = self.top()?;
        self.stack.pop();
        Ok(value)
    }

    /// Pop down to the last mark; the greatest depth and the sum of the sizes of what was above it.
    fn pop_to_mark(&mut self) -> Result<(u32, u64), Refusal> {
        let (mut depth, mut bytes) = (0, 0);
        loop {
            match self.stack.pop() {
                Some(value) if value.kind == Kind::Mark => return Ok((depth, bytes)),
                Some(value) => (depth, bytes) = (depth.max(value.depth), bytes + value.bytes),
                None => return damaged("a mark is missing"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(pickle: &[u8]) -> String {
        check(Path::new("x.pt"), pickle).unwrap_err().to_string()
    }

    #[test]
    fn doubling_and_deep_nesting_are_refused() {
        // t = (t, t), 60 times: 2^60 values from 300 bytes.
        let mut doubling = b"\x80\x02)".to_vec();
        for _ in 0..60 {
            doubling.extend(b"q\x00h\x00\x86");
        }
        doubling.push(b'.');
        assert!(refused(&doubling).contains("unfolds to more than 512 MB"));
        let mut deep = b"\x80\x02N".to_vec();
        deep.extend(vec![0x85; 1_000_000]);
        deep.push(b'.');
        assert!(refused(&deep).contains("128 deep"));
        let mut lists = b"\x80\x02".to_vec();
        lists.extend(vec![b']'; 1_000_000]);
        lists.extend(vec![b'a'; 999_999]);
        lists.push(b'.');
        assert!(refused(&lists).contains("128 deep"));
    }

    #[test]
    fn a_list_that_is_stored_as_it_grows_is_counted_each_time() {
        let mut growing = b"\x80\x02]".to_vec();
        for _ in 0..100_000 {
            growing.extend(b"Naq\x00");
        }
        growing.push(b'.');
        assert!(refused(&growing).contains("unfolds"));
    }

    #[test]
    fn inconsistent_stacks_are_refused() {
        for pickle in [
            &b"."[..],
            b"(.",
            b"t.",
            b"Na.",
            b"NNs.",
            b"}(Nu.",
            b"h\x07.",
            b"(q\x00.",
            b"(Q.",
            b"(\x85.",
            b"X\x01\x00\x00\x00\xff.",
        ] {
            assert!(refused(pickle).contains("inconsistent"), "{pickle:?}");
        }
    }

    #[test]
    fn what_the_reader_does_not_know_is_named() {
        assert!(refused(b"\x80\x04\x95\0\0\0\0\0\0\0\0N.").contains("0x95"));
        assert!(refused(b"d.").contains("0x64"));
        assert!(refused(b"\x8a\x09123456789.").contains("9 bytes"));
    }
}
