//! Command lines and text files that are wrong: exit code 2, a message that says what to write instead, no output.

use std::fs;

use tempfile::TempDir;

use crate::support::{Call, Models, UNFUSED, demo_pieces, names_below};

/// `harness embed` of one piece into an empty folder; the folder must stay empty.
fn embed_fails(more: &[&str], words: &[&str]) {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let call = Call::embed(&models, UNFUSED)
        .option("--audio", demo_pieces().join("sour_03.wav"))
        .option("--out", folder.path().join("out.csv"));
    more.iter()
        .fold(call, |call, word| call.arg(word))
        .fails(2, words);
    assert!(names_below(folder.path()).is_empty());
}

#[test]
fn values_that_an_option_does_not_have() {
    embed_fails(
        &["--ep", "gpu"],
        &["gpu", "--ep", "cpu", "cuda", "openvino"],
    );
    embed_fails(&["--threads", "0"], &["--threads"]);
    embed_fails(&["--threads", "many"], &["--threads"]);
    embed_fails(&["--crop-policy", "middle"], &["seeded, start or center"]);
    embed_fails(&["--precision", "fp8"], &["--precision", "fp32"]);
    embed_fails(&["--thread", "2"], &["--thread", "--threads"]);
}

#[test]
fn arithmetic_that_clap_is_not_exported_in() {
    for precision in ["fp16", "bf16"] {
        embed_fails(
            &["--precision", precision],
            &[precision, "--ep cpu runs fp32 and int8", "cuda"],
        );
    }
}

#[test]
fn a_device_of_a_provider_that_has_one_only() {
    embed_fails(&["--device", "3"], &["--device", "--ep cuda", "cpu"]);
}

#[test]
fn crops_and_a_policy_at_once() {
    embed_fails(
        &["--crops", "crops.csv", "--crop-policy", "start"],
        &["--crops", "--crop-policy"],
    );
}

#[test]
fn nothing_to_embed() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    Call::embed(&models, UNFUSED)
        .option("--out", folder.path().join("out.csv"))
        .fails(2, &["nothing to embed", "--audio", "--text"]);
    assert!(names_below(folder.path()).is_empty());
}

#[test]
fn an_output_in_a_folder_that_is_not_there() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("results/out.csv");
    Call::embed(&models, UNFUSED)
        .option("--audio", demo_pieces())
        .option("--out", &out)
        .fails(2, &["--out", out.to_str().unwrap()]);
    assert!(names_below(folder.path()).is_empty());
}

#[test]
fn an_output_that_is_a_folder() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    Call::embed(&models, UNFUSED)
        .option("--audio", demo_pieces())
        .option("--out", folder.path())
        .fails(
            2,
            &["--out", folder.path().to_str().unwrap(), "is a folder"],
        );
    assert!(names_below(folder.path()).is_empty());
}

/// A file moved to its place would take that of the device, for the whole machine if the user is root.
#[cfg(unix)]
#[test]
fn an_output_that_is_no_file_is_written_into_and_not_replaced() {
    use std::io::Read;
    use std::os::unix::fs::FileTypeExt;
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    // Open for both, so that neither side waits for the other; the row fits the pipe's buffer.
    let mut reader = fs::File::options()
        .read(true)
        .write(true)
        .open(&pipe)
        .unwrap();
    Call::embed(&models, UNFUSED)
        .option("--audio", demo_pieces().join("sour_03.wav"))
        .option("--out", &pipe)
        .ok();
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    let mut read = [0; 4096];
    let length = reader.read(&mut read).unwrap();
    let read = String::from_utf8_lossy(&read[..length]);
    assert!(read.starts_with("id,kind,embedding,front,middle,back,offset\nsour_03,audio,"));
}

#[test]
fn an_output_that_stands_already_stays_when_the_call_fails() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("out.csv"), "earlier").unwrap();
    fs::write(at("bad.wav"), "RIFF").unwrap();
    Call::embed(&models, UNFUSED)
        .option("--audio", at("bad.wav"))
        .option("--out", at("out.csv"))
        .fails(1, &["bad.wav"]);
    assert_eq!(fs::read_to_string(at("out.csv")).unwrap(), "earlier");
    assert_eq!(names_below(folder.path()), ["bad.wav", "out.csv"]);
}

fn text_fails(bytes: &[u8], words: &[&str]) {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("texts.txt"), bytes).unwrap();
    Call::embed(&models, UNFUSED)
        .option("--text", at("texts.txt"))
        .option("--out", at("out.csv"))
        .fails(2, words);
    assert_eq!(names_below(folder.path()), ["texts.txt"]);
}

#[test]
fn texts_that_are_none() {
    text_fails(b"sweet music\n\nsour music\n", &["texts.txt:2", "empty"]);
    text_fails(b"", &["texts.txt", "no prompt"]);
    text_fails(b"sweet\nm\xfcsica\n", &["texts.txt", "line 2", "UTF-8"]);
}

#[test]
fn a_text_file_that_is_not_there() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("gone.txt");
    Call::embed(&models, UNFUSED)
        .option("--text", &missing)
        .option("--out", folder.path().join("out.csv"))
        .fails(2, &[missing.to_str().unwrap()]);
    assert!(names_below(folder.path()).is_empty());
}
