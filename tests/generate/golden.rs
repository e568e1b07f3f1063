//! Greedy codes with guidance, equal to those of transformers for small checkpoints with random weights.

use std::fs;

use safetensors::SafeTensors;

use crate::support::{CARD, Studio, repository};

/// What transformers made: prompts, steps, and a piece's codes `[codebooks, frames]` for each.
struct Golden {
    prompts: Vec<String>,
    steps: String,
    codes: Vec<Vec<Vec<i64>>>,
}

fn golden(name: &str) -> Golden {
    let path = repository(&format!("tests/golden/musicgen/{name}.safetensors"));
    let bytes = fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = header.metadata().as_ref().unwrap();
    let texts: Vec<String> = serde_json::from_str(&metadata["texts"]).unwrap();
    let generated: Vec<usize> = serde_json::from_str(&metadata["generated"]).unwrap();
    assert_eq!(metadata["guidance"], "3.0");
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let codes = tensors.tensor("musicgen.greedy_codes").unwrap();
    let &[pieces, codebooks, frames] = codes.shape() else {
        panic!("{:?}", codes.shape());
    };
    let (values, _) = codes.data().as_chunks::<8>();
    let values: Vec<i64> = values.iter().map(|v| i64::from_le_bytes(*v)).collect();
    let rows: Vec<Vec<i64>> = values.chunks(frames).map(<[i64]>::to_vec).collect();
    let golden = Golden {
        prompts: generated.iter().map(|&i| texts[i].clone()).collect(),
        steps: metadata["new_tokens"].clone(),
        codes: rows.chunks(codebooks).map(<[Vec<i64>]>::to_vec).collect(),
    };
    assert_eq!(golden.codes.len(), pieces);
    golden
}

fn assert_equal(name: &str, card: &str) {
    let golden = golden(name);
    let prompts: Vec<&str> = golden.prompts.iter().map(String::as_str).collect();
    assert!(prompts.contains(&""));
    let studio = Studio::new(&prompts);
    for batch in ["1", "4"] {
        let args = [
            "--model",
            card,
            "--greedy",
            "--max-new-tokens",
            &golden.steps,
        ];
        studio.ok(
            batch,
            &[&args[..], &["--save-codes", "--batch", batch]].concat(),
        );
        for (n, expected) in (1..).zip(&golden.codes) {
            assert_eq!(
                studio.codes(&format!("{batch}/{n}.npy")),
                *expected,
                "prompt {n}"
            );
        }
    }
}

#[test]
fn of_the_demo() {
    assert_equal("tasty-musicgen-small", repository(CARD).to_str().unwrap());
}

/// In shards, with three codebooks and fewer codes.
#[test]
fn of_a_sharded_checkpoint() {
    let folder = tempfile::TempDir::new().unwrap();
    let card = folder.path().join("sharded.yaml");
    let quoted = |path: &str| serde_json::to_string(&repository(path)).unwrap();
    let text = format!(
        "kind: musicgen\nsource: {{ path: {} }}\ntokenizer: {{ path: {} }}\nlicence: cc0-1.0\nrandom_weights: true\n",
        quoted("tests/data/musicgen_sharded"),
        quoted("assets/demo/musicgen/tokenizer.json"),
    );
    fs::write(&card, text).unwrap();
    assert_equal("musicgen_sharded", card.to_str().unwrap());
}
