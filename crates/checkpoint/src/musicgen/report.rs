//! What `harness inspect` says of a MusicGen checkpoint.

use foreign::Foreign;

use super::super::Checkpoint;
use super::MusicgenConfig;
use super::weights::compare;

/// The three parts: what they are and how their names begin.
const PARTS: [(&str, &[&str]); 3] = [
    ("text encoder", &["text_encoder."]),
    ("decoder", &["decoder.", "enc_to_dec_proj."]),
    ("audio codec", &["audio_encoder."]),
];

/// What there is to say.
#[derive(Debug, Default)]
pub struct Description {
    /// Labelled lines: the model, its parts, and whether it is whole.
    pub lines: Vec<(&'static str, String)>,
    /// Names that do not fit, each list with its heading.
    pub lists: Vec<(&'static str, Vec<String>)>,
}

/// Describe a MusicGen checkpoint; `size` puts bytes into words.
pub fn describe(checkpoint: &Checkpoint, size: impl Fn(usize) -> String) -> Description {
    let mut lines = vec![("model", "MusicGen, names of transformers".to_owned())];
    for (part, prefixes) in PARTS {
        let of_part = checkpoint
            .tensors()
            .iter()
            .filter(|(name, _)| prefixes.iter().any(|p| name.starts_with(p)));
        let (count, elements, bytes) = of_part.fold((0, 0, 0), |(n, e, b), (_, info)| {
            (n + 1, e + info.elements(), b + info.bytes())
        });
        let text = format!("{count} tensors, {elements} parameters, {}", size(bytes));
        lines.push((part, text));
    }
    let config = match MusicgenConfig::read(checkpoint) {
        Ok(config) => config,
        Err(e) => {
            lines.push(("usable", format!("no: {e}")));
            return Description {
                lines,
                lists: Vec::new(),
            };
        }
    };
    let found = compare(checkpoint, &config);
    lines[0].1 = format!("{config}, names of transformers");
    let limit = config.decoder.max_positions;
    let frames = limit.saturating_sub(config.decoder.codebooks - 1);
    lines.push((
        "longest piece",
        format!(
            "{limit} steps, {:.2} s",
            frames as f64 / config.codec.frame_rate()
        ),
    ));
    lines.push((
        "unused",
        format!(
            "{} tensors that generation does not use (the codec's encoder, statistics of the codebooks, constant tables)",
            found.unused.len()
        ),
    ));
    let usable = match found.fits() {
        true => "yes: every tensor that the configuration needs is there with its shape",
        false => "no: the tensors are not those of the configuration",
    };
    lines.push(("usable", usable.to_owned()));
    let names = |names: &[String]| names.iter().map(|n| Foreign::new(n).to_string()).collect();
    let lists = [
        ("missing", names(&found.missing)),
        (
            "misshapen",
            found.misshapen.iter().map(ToString::to_string).collect(),
        ),
        ("left over", names(&found.leftover)),
    ];
    let lists = lists
        .into_iter()
        .filter(|(_, items): &(_, Vec<String>)| !items.is_empty());
    Description {
        lines,
        lists: lists.collect(),
    }
}
