//! A pickle followed on a stack with a memo, as `pickle.Unpickler` does, except that a call stays a call: the tree of values
//! that it describes.
//!
//! Only what `torch.save` writes by default (protocol 2) is known. A few hundred bytes can ask for any amount of memory
//! (`t = (t, t)`, again and again) or for nesting that overflows the call stack of whoever walks the tree, so each value
//! knows its depth and its size unfolded, and a pickle that goes too far is refused on the way. Values are shared: what is
//! put into the memo and taken out again is the value as it was then.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use foreign::Words;
use foreign::words;

use super::super::CheckpointError;
use super::opcodes::{Instruction, instructions, little_endian};

/// Nesting of values; a checkpoint with optimizer state has about 12.
const DEEPEST: u32 = 128;
/// Bytes of the values unfolded, each use of one counted. A state_dict of 10,000 tensors takes about 100 MB by this count,
/// which is an upper bound.
const MOST_BYTES: u64 = 512 << 20;
/// Upper bound for one value in a vector that has just doubled.
const VALUE_BYTES: u64 = 128;

/// A value of a pickle, as far as tensors are described by such.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object {
    /// A class or function by its names; none is ever called.
    Global {
        module: String,
        name: String,
    },
    Int(i64),
    Text(String),
    Tuple(Vec<Rc<Object>>),
    /// Its entries in order, a key that comes twice twice.
    Dict(Vec<(Rc<Object>, Rc<Object>)>),
    /// A call that was not made.
    Call {
        callable: Rc<Object>,
        arguments: Rc<Object>,
    },
    /// An object with attributes set on it.
    Built(Rc<Object>),
    /// What lies outside the pickle, by its id: the storages.
    Persistent(Rc<Object>),
    List,
    /// Numbers, truth values and the like, which describe no tensor.
    Other,
    /// Begins the items of a tuple, a list or a dict; never part of a value.
    Mark,
}

/// A class whose call gives an empty dict.
fn is_dict_class(module: &str, name: &str) -> bool {
    module == "collections" && ["OrderedDict", "defaultdict"].contains(&name)
}

#[derive(Debug, Clone)]
struct Value {
    object: Rc<Object>,
    depth: u32,
    bytes: u64,
}

/// The value that the pickle describes.
///
/// # Errors
/// When it takes too much memory, nests too deep, uses instructions that `torch.save` does not, or is not consistent.
pub(super) fn tree(path: &Path, pickle: &[u8]) -> Result<Rc<Object>, CheckpointError> {
    let mut machine = Machine::default();
    let followed = instructions(pickle)
        .try_for_each(|next| {
            let next = next.map_err(Refusal::Damaged)?;
            machine.step(&next)
        })
        .and_then(|()| machine.pop());
    followed.map(|root| root.object).map_err(|refusal| match refusal {
        Refusal::Damaged(detail) => CheckpointError::damaged(path, detail),
        Refusal::Unusual(detail) => CheckpointError::unsupported(
            path,
            detail,
            "load it with torch where you trust it, and save its state_dict with torch.save's defaults \
             or as safetensors",
        ),
    })
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
            b'(' => self.push(Object::Mark, 0, 0),
            b'}' => self.push(Object::Dict(Vec::new()), 1, 0),
            b']' => self.push(Object::List, 1, 0),
            b')' => self.push(Object::Tuple(Vec::new()), 1, 0),
            b'N' | 0x88 | 0x89 | b'G' => self.push(Object::Other, 1, 0),
            // Without a sign, as one or two bytes.
            b'K' | b'M' => self.push(Object::Int(little_endian(argument) as i64), 1, 0),
            b'J' => self.push(Object::Int(signed(argument)), 1, 0),
            0x8a if argument.len() <= 8 => self.push(Object::Int(signed(argument)), 1, 0),
            0x8a => Err(Refusal::Unusual(words!(
                "its pickle holds an integer of {} bytes",
                argument.len()
            ))),
            b'X' => match std::str::from_utf8(argument) {
                Ok(text) => self.push(Object::Text(text.to_owned()), 1, text.len() as u64),
                Err(_) => damaged("a string is not UTF-8"),
            },
            b'c' => {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                let (module, name) = (text(argument), text(instruction.second));
                let length = (module.len() + name.len()) as u64;
                self.push(Object::Global { module, name }, 1, length)
            }
            b't' => {
                let items = self.pop_to_mark()?;
                self.push_tuple(items)
            }
            0x85..=0x87 => {
                let count = usize::from(instruction.opcode - 0x84);
                let mut items = (0..count)
                    .map(|_| self.pop())
                    .collect::<Result<Vec<_>, _>>()?;
                items.reverse();
                self.push_tuple(items)
            }
            b'Q' => {
                let id = self.pop()?;
                self.push_made(Object::Persistent(id.object), id.depth + 1, id.bytes)
            }
            b'R' | 0x81 => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                let depth = arguments.depth.max(callable.depth) + 1;
                let bytes = arguments.bytes + callable.bytes;
                let object = match &*callable.object {
                    Object::Global { module, name }
                        if instruction.opcode == b'R' && is_dict_class(module, name) =>
                    {
                        Object::Dict(Vec::new())
                    }
                    _ => Object::Call {
                        callable: callable.object,
                        arguments: arguments.object,
                    },
                };
                self.push_made(object, depth, bytes)
            }
            b'b' => {
                let (state, built) = (self.pop()?, self.pop()?);
                let depth = state.depth.max(built.depth) + 1;
                let bytes = state.bytes + built.bytes;
                let object = match (&*built.object, &*state.object) {
                    // Attributes stand among the entries: they are no tensors, so they are passed over with what else is not.
                    (Object::Dict(entries), Object::Dict(attributes)) => {
                        Object::Dict([entries.as_slice(), attributes].concat())
                    }
                    _ => Object::Built(built.object),
                };
                self.push_made(object, depth, bytes)
            }
            b'a' => {
                let item = self.pop()?;
                self.extend_list(&[item])
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.extend_list(&items)
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.extend_dict(&[key, value])
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.extend_dict(&items)
            }
            b'q' | b'r' => {
                let value = self.top()?.clone();
                self.allocate(value.bytes)?;
                self.memo.insert(little_endian(argument), value);
                Ok(())
            }
            b'h' | b'j' => match self.memo.get(&little_endian(argument)).cloned() {
                Some(value) => {
                    self.allocate(value.bytes)?;
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
    fn push(&mut self, object: Object, depth: u32, payload: u64) -> Result<(), Refusal> {
        self.allocate(VALUE_BYTES + payload)?;
        self.stack.push(Value {
            object: Rc::new(object),
            depth,
            bytes: VALUE_BYTES + payload,
        });
        Ok(())
    }

    /// Push a value made of others, which take `content` bytes.
    fn push_made(&mut self, object: Object, depth: u32, content: u64) -> Result<(), Refusal> {
        if depth > DEEPEST {
            return Err(Refusal::Unusual(words!(
                "its pickle nests values more than {} deep",
                DEEPEST
            )));
        }
        self.allocate(VALUE_BYTES)?;
        self.stack.push(Value {
            object: Rc::new(object),
            depth,
            bytes: VALUE_BYTES + content,
        });
        Ok(())
    }

    fn push_tuple(&mut self, items: Vec<Value>) -> Result<(), Refusal> {
        let (depth, bytes) = extent(&items);
        let items = items.into_iter().map(|item| item.object).collect();
        self.push_made(Object::Tuple(items), depth + 1, bytes)
    }

    fn extend_list(&mut self, items: &[Value]) -> Result<(), Refusal> {
        let list = self.pop()?;
        if *list.object != Object::List {
            return damaged("items are added to what holds none");
        }
        let (depth, bytes) = extent(items);
        self.push_made(Object::List, list.depth.max(depth + 1), list.bytes + bytes)
    }

    /// Add keys and values, in turns, to the dict on top.
    fn extend_dict(&mut self, items: &[Value]) -> Result<(), Refusal> {
        let (pairs, []) = items.as_chunks::<2>() else {
            return damaged("a key without a value");
        };
        let mut dict = self.pop()?;
        let (depth, bytes) = extent(items);
        // The memo may hold the dict as it was.
        let Object::Dict(entries) = Rc::make_mut(&mut dict.object) else {
            return damaged("items are added to what holds none");
        };
        entries.extend(
            pairs
                .iter()
                .map(|[k, v]| (k.object.clone(), v.object.clone())),
        );
        let entries = std::mem::take(entries);
        self.push_made(
            Object::Dict(entries),
            dict.depth.max(depth + 1),
            dict.bytes + bytes,
        )
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

    fn top(&self) -> Result<&Value, Refusal> {
        match self.stack.last() {
            Some(value) if *value.object != Object::Mark => Ok(value),
            _ => damaged("a value is missing"),
        }
    }

    fn pop(&mut self) -> Result<Value, Refusal> {
        self.top()?;
        self.stack
            .pop()
            .map_or_else(|| damaged("a value is missing"), Ok)
    }

    /// What is above the last mark, which goes too.
    fn pop_to_mark(&mut self) -> Result<Vec<Value>, Refusal> {
        let is_mark = |value: &Value| *value.object == Object::Mark;
        let Some(mark) = self.stack.iter().rposition(is_mark) else {
            return damaged("a mark is missing");
        };
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(items)
    }
}

/// The greatest depth of some values and the sum of their sizes.
fn extent(items: &[Value]) -> (u32, u64) {
    let depth = items.iter().map(|item| item.depth).max().unwrap_or(0);
    (depth, items.iter().map(|item| item.bytes).sum())
}

/// Two's complement, little-endian, of at most 8 bytes.
fn signed(bytes: &[u8]) -> i64 {
    let negative = bytes.last().is_some_and(|&b| b >= 0x80);
    let mut wide = [if negative { 0xff } else { 0 }; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    i64::from_le_bytes(wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(pickle: &[u8]) -> String {
        tree(Path::new("x.pt"), pickle).unwrap_err().to_string()
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
    fn a_state_dict_becomes_a_dict_of_calls() {
        let pickle =
            b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01(X\x01\x00\x00\x00aq\x02cm\nf\n\
                       J\xfe\xff\xff\xff\x8a\x02\x00\x80M\x01\x02\x87Ru.";
        let text = |text: &str| Rc::new(Object::Text(text.to_owned()));
        let int = |n| Rc::new(Object::Int(n));
        let callable = Rc::new(Object::Global {
            module: "m".to_owned(),
            name: "f".to_owned(),
        });
        let arguments = Rc::new(Object::Tuple(vec![int(-2), int(-32_768), int(513)]));
        let call = Rc::new(Object::Call {
            callable,
            arguments,
        });
        let found = tree(Path::new("x.pt"), pickle).unwrap();
        assert_eq!(*found, Object::Dict(vec![(text("a"), call)]));
    }

    #[test]
    fn the_memo_gives_a_value_as_it_was_stored() {
        let found = tree(Path::new("x.pt"), b"\x80\x02}q\x00K\x01K\x02sh\x00\x86.").unwrap();
        let filled = vec![(Rc::new(Object::Int(1)), Rc::new(Object::Int(2)))];
        let both = [filled, Vec::new()].map(|entries| Rc::new(Object::Dict(entries)));
        assert_eq!(*found, Object::Tuple(both.to_vec()));
    }

    #[test]
    fn what_the_reader_does_not_know_is_named() {
        assert!(refused(b"\x80\x04\x95\0\0\0\0\0\0\0\0N.").contains("0x95"));
        assert!(refused(b"d.").contains("0x64"));
        assert!(refused(b"\x8a\x09123456789.").contains("9 bytes"));
    }
}
