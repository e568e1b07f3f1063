//! Pieces from lists: CSVs and JSON Lines as people, programs and the hub's data sets have them, and bad ones.

use std::fs;

use crate::support::Lab;

/// With what makes a line of it wrong.
fn refused(lab: &Lab, file: &str, text: &str, message: &str) {
    lab.write(file, text);
    lab.refused(&["--set", &format!("audio={{csv: {file}}}")], 2, message);
}

fn lab() -> Lab {
    Lab::with(&[("sweet_01.wav", "s1.wav"), ("sour_01.wav", "s2.wav")])
}

#[test]
fn json_lines_are_read_as_the_same_csv() {
    let lab = lab();
    lab.write(
        "p.csv",
        "path,prompt,id,taste\npieces/s1.wav,12.50,1,sweet\npieces/s2.wav,true,b,\npieces/s1.wav,süß 🍬,c,sour\n",
    );
    lab.write(
        "p.jsonl",
        "\u{feff}{\"path\": \"pieces/s1.wav\", \"prompt\": 12.50, \"id\": 1, \"taste\": \"sweet\"}\r\n\r\n\
         {\"id\": \"b\", \"path\": \"pieces/s2.wav\", \"taste\": null, \"prompt\": true}\n\
         {\"path\": \"pieces/s1.wav\", \"prompt\": \"s\\u00fc\\u00df \\ud83c\\udf6c\", \"taste\": \"sour\", \"id\": \"c\"}",
    );
    lab.run(&["--set", "audio={csv: p.csv}", "--out", "a"]);
    // Told by its ending, and by its first character.
    lab.run(&["--set", "audio={csv: p.jsonl}", "--out", "b"]);
    fs::copy(lab.at("p.jsonl"), lab.at("list")).unwrap();
    lab.run(&["--set", "audio={csv: list}", "--out", "c"]);
    assert_eq!(lab.results("a"), lab.results("b"));
    assert_eq!(lab.results("a"), lab.results("c"));
    let prompts: Vec<String> = lab
        .csv("b/scores.csv")
        .into_iter()
        .map(|mut row| row.remove("prompt").unwrap())
        .collect();
    assert_eq!(prompts[..3], ["12.50", "true", "süß 🍬"]);
}

#[test]
fn the_hubs_folder_of_audio_is_a_list() {
    let lab = lab();
    lab.write(
        "pieces/metadata.jsonl",
        "{\"file_name\": \"s1.wav\", \"text\": \"a tune\", \"tags\": [\"x\", {\"deep\": []}], \"path\": {\"not\": \"meant\"}}\n\
         {\"file_name\": \"s2.wav\", \"text\": \"a song\", \"bpm\": 90}\n",
    );
    lab.run(&[
        "--set",
        "audio={csv: pieces/metadata.jsonl, columns: {path: file_name, prompt: text}}",
    ]);
    let scores = lab.csv("runs/lab/scores.csv");
    let told: Vec<(&str, &str)> = scores
        .iter()
        .take(2)
        .map(|row| (row["id"].as_str(), row["prompt"].as_str()))
        .collect();
    assert_eq!(told, [("s1", "a tune"), ("s2", "a song")]);
    lab.refused(
        &["--set", "audio={csv: pieces/metadata.jsonl, columns: {path: file_name, prompt: caption}}"],
        2,
        "pieces/metadata.jsonl:1: it has no column 'caption', which 'columns' takes for prompt; there are file_name,text,tags,path,bpm",
    );
}

#[test]
fn lines_that_are_wrong_are_named() {
    let lab = lab();
    let good = "{\"path\": \"pieces/s1.wav\", \"prompt\": \"a\"}\n";
    let hint = "one stands on each line, such as {\"path\": \"a.wav\", \"prompt\": \"calm music\"}";
    for (line, message) in [
        ("[\"pieces/s1.wav\"]", format!("p.jsonl:3: this is no JSON object (invalid type: sequence, expected an object, column 0); {hint}")),
        ("{\"path\": \"x\",", format!("p.jsonl:3: this is no JSON object (EOF while parsing a value, column 13); {hint}")),
        (
            "{\"path\": \"pieces/s2.wav\", \"prompt\": [\"a\"]}",
            "p.jsonl:3: 'prompt' holds a list or an object; a text or a number is needed there".to_owned(),
        ),
        ("{\"path\": \"a\", \"path\": \"b\"}", "p.jsonl:3: the key 'path' is there twice".to_owned()),
        ("{\"path\": \"pieces/s2.wav\"}", "p.jsonl:3: the prompt is empty".to_owned()),
        ("{\"path\": \"pieces/s2.wav\", \"prompt\": null}", "p.jsonl:3: the prompt is empty".to_owned()),
        ("{\"path\": \"pieces/no.wav\", \"prompt\": 1}", "p.jsonl:3: there is no file pieces/no.wav".to_owned()),
        (
            "{\"path\": \"pieces/s2.wav\", \"promt\": 1}",
            "p.jsonl:1: unknown column 'promt'; did you mean 'prompt'? (valid here: path, prompt, id, taste)".to_owned(),
        ),
    ] {
        refused(&lab, "p.jsonl", &format!("{good}\n{line}\n"), &message);
    }
    let missing =
        "p.jsonl:1: each line must have path,prompt; prompt is missing, and there are path,text";
    refused(
        &lab,
        "p.jsonl",
        "{\"text\": \"a\", \"path\": \"b\"}\n",
        missing,
    );
    refused(
        &lab,
        "p.jsonl",
        "\n",
        "p.jsonl:1: each line must have path,prompt; path,prompt is missing",
    );
    // Each line with keys of its own, and one that nests without an end.
    let many: String = (0..2_000).map(|i| format!("{{\"k{i}\": 1}}\n")).collect();
    refused(
        &lab,
        "p.jsonl",
        &many,
        "p.jsonl:1001: the lines have more than 1000 keys",
    );
    let deep = format!("{{\"x\": {}\n", "[".repeat(200_000));
    lab.write("p.jsonl", &deep);
    let ran = lab.harness(&["run", "lab.yaml", "--set", "audio={csv: p.jsonl}"]);
    assert!(
        ran.code == Some(2) && ran.stderr.contains("p.jsonl:1: this is no JSON object"),
        "{}",
        ran.stderr
    );
}

#[test]
fn lists_without_use_are_refused() {
    let lab = lab();
    refused(
        &lab,
        "p.csv",
        "path,prompt,path\nx,y,z\n",
        "p.csv:1: the column 'path' is there twice",
    );
    refused(
        &lab,
        "p.csv",
        "path,prompt\n",
        "cannot use p.csv: it has a header and no rows",
    );
    fs::write(lab.at("p.parquet"), b"PAR1\x15\x04\xff\xfePAR1").unwrap();
    lab.refused(
        &["--set", "audio={csv: p.parquet}"],
        2,
        "cannot use p.parquet: it is Parquet, which is not read; write it as a CSV, such as with python3 -c \"import pandas; \
         pandas.read_parquet('train.parquet', columns=['path', 'prompt']).to_csv('pieces.csv', index=False)\"",
    );
}

#[test]
fn files_of_one_stem_need_no_other_names_in_a_list() {
    let lab = Lab::with(&[
        ("sweet_02.ogg", "sweet_3.ogg"),
        ("sweet_01.wav", "sweet_3.wav"),
    ]);
    let ran = lab.harness(&["check", "lab.yaml"]);
    let told = ran.stderr.trim_end();
    let (head, rest) = told.split_once(" and has for this one ").unwrap();
    assert!(
        head.contains("its id 'sweet_3' is also that of pieces/sweet_3."),
        "{told}"
    );
    assert!(head.ends_with("; or leave their names and list all pieces in a CSV that begins with the line path,prompt,id,taste"), "{told}");
    let (row, set) = rest.split_once(": --set ").unwrap();
    assert_eq!(set, "'audio={csv: pieces.csv}'");
    // What it says works.
    lab.write(
        "pieces.csv",
        &format!("path,prompt,id,taste\n{row}\npieces/sweet_3.ogg,sweet music,other,sweet\n"),
    );
    lab.run(&["--set", "audio={csv: pieces.csv}"]);
    assert_eq!(lab.csv("runs/lab/scores.csv").len(), 4);
}

#[test]
fn one_broken_file_among_many_is_named() {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_1.wav")]);
    for i in 2..=600 {
        fs::hard_link(
            lab.at("pieces/sweet_1.wav"),
            lab.at(&format!("pieces/sweet_{i}.wav")),
        )
        .unwrap();
    }
    fs::remove_file(lab.at("pieces/sweet_437.wav")).unwrap();
    fs::write(lab.at("pieces/sweet_437.wav"), b"RIFF\x04\0\0\0WAVE").unwrap();
    let ran = lab.harness(&["check", "lab.yaml"]);
    assert!(
        ran.stderr.starts_with("cannot read pieces/sweet_437.wav: "),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("error: 1 of 600 pieces cannot be used"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.code, Some(1));
}
