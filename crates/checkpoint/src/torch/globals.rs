//! Which names a pickle may mention.
//!
//! A pickle is a program: GLOBAL names a function or class and REDUCE calls it. The reader never imports or calls
//! anything, so the names are only labels here; but a file that mentions another name than those which torch.save and
//! numpy write is no file of weights, and whoever made it meant it to run.

use std::collections::HashMap;
use std::path::Path;

use foreign::{Foreign, Words};

use super::super::CheckpointError;
use super::opcodes::{instructions, little_endian};

/// Modules and the names in them that files of weights mention.
const ALLOWED: &[(&str, &[&str])] = &[
    ("collections", &["OrderedDict", "defaultdict"]),
    (
        "torch._utils",
        &["_rebuild_tensor_v2", "_rebuild_parameter"],
    ),
    (
        "torch",
        &[
            "FloatStorage",
            "DoubleStorage",
            "HalfStorage",
            "BFloat16Storage",
            "LongStorage",
            "IntStorage",
            "ShortStorage",
            "CharStorage",
            "ByteStorage",
            "BoolStorage",
            "Size",
            "device",
            "float32",
            "float64",
            "float16",
            "bfloat16",
            "int64",
            "int32",
            "int16",
            "int8",
            "uint8",
            "bool",
        ],
    ),
    ("numpy.core.multiarray", &["scalar", "_reconstruct"]),
    ("numpy._core.multiarray", &["scalar", "_reconstruct"]),
    ("numpy", &["dtype", "ndarray"]),
    ("_codecs", &["encode"]),
    ("builtins", &["set", "dict", "list"]),
    ("__builtin__", &["set", "dict", "list"]),
];

/// Refuse a pickle that mentions any other name. Instructions that the reader itself does not know are left to
/// [`super::machine`]; names are found in all protocols.
pub(super) fn check(path: &Path, pickle: &[u8]) -> Result<(), CheckpointError> {
    let forbidden = |global: Words| CheckpointError::ForbiddenGlobal {
        path: path.to_owned(),
        global,
    };
    let mut strings = RecentStrings::default();
    for instruction in instructions(pickle) {
        let instruction = instruction.map_err(|detail| CheckpointError::damaged(path, detail))?;
        let (module, name) = match instruction.opcode {
            b'c' | b'i' => (Some(instruction.argument), Some(instruction.second)),
            0x93 => (strings.last_but_one, strings.last),
            // EXT1, EXT2, EXT4: names by number, from a registry of the process that reads.
            0x82..=0x84 => return Err(forbidden("a registered extension".into())),
            opcode => {
                strings.follow(opcode, instruction.argument);
                continue;
            }
        };
        match module.zip(name) {
            Some((module, name)) if is_allowed(module, name) => {}
            Some((module, name)) => {
                let global = [module, b" ", name].concat();
                return Err(forbidden(
                    Foreign::new(String::from_utf8_lossy(&global)).into(),
                ));
            }
            None => return Err(forbidden("a name made while it runs".into())),
        }
    }
    Ok(())
}

fn is_allowed(module: &[u8], name: &[u8]) -> bool {
    ALLOWED
        .iter()
        .any(|(m, names)| m.as_bytes() == module && names.iter().any(|n| n.as_bytes() == name))
}

/// The last two strings that were pushed: what STACK_GLOBAL of protocol 4 takes its name from.
#[derive(Default)]
struct RecentStrings<'a> {
    last: Option<&'a [u8]>,
    last_but_one: Option<&'a [u8]>,
    memo: HashMap<usize, &'a [u8]>,
    memoised: usize,
}

impl<'a> RecentStrings<'a> {
    fn follow(&mut self, opcode: u8, argument: &'a [u8]) {
        match opcode {
            b'X' | b'U' | b'T' | b'S' | b'V' | 0x8c | 0x8d => self.push(Some(argument)),
            // MEMOIZE stores the top under the next number.
            0x94 => {
                if let Some(last) = self.last {
                    self.memo.insert(self.memoised, last);
                }
                self.memoised += 1;
            }
            b'q' | b'r' => {
                if let Some(last) = self.last {
                    self.memo.insert(little_endian(argument), last);
                }
            }
            b'h' | b'j' => self.push(self.memo.get(&little_endian(argument)).copied()),
            // PROTO and FRAME change no value.
            0x80 | 0x95 => {}
            _ => self.push(None),
        }
    }

    fn push(&mut self, string: Option<&'a [u8]>) {
        self.last_but_one = std::mem::replace(&mut self.last, string);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(pickle: &[u8]) -> String {
        check(Path::new("x.pt"), pickle).unwrap_err().to_string()
    }

    #[test]
    fn a_call_of_the_shell_is_named_in_every_protocol() {
        let plain = refused(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.");
        assert!(plain.contains("`os system`"), "{plain}");
        assert!(plain.contains("nothing was executed"), "{plain}");
        assert!(refused(b"(S'ls'\nios\nsystem\n.").contains("`os system`"));
        let stacked = b"\x80\x04\x95\x1c\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.";
        assert!(refused(stacked).contains("`posix system`"));
        let remembered = b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940h\x00h\x01\x93.";
        assert!(refused(remembered).contains("`os system`"));
        assert!(refused(b"\x80\x04NN\x93.").contains("made while it runs"));
        assert!(refused(b"\x82\x01.").contains("extension"));
    }

    #[test]
    fn what_torch_and_numpy_write_passes() {
        let pickle = b"\x80\x02ccollections\nOrderedDict\n)Rcnumpy.core.multiarray\nscalar\n.";
        assert!(check(Path::new("x.pt"), pickle).is_ok());
        assert!(refused(b"ctorch\nload\n.").contains("torch load"));
    }
}
