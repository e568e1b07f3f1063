use std::path::Path;

use serde::Deserialize;

use super::{Document, YamlError, parse};

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Plan {
    name: String,
    arms: Vec<Arm>,
    #[serde(default)]
    audio: Audio,
    #[serde(default)]
    seed: u64,
    scale: Option<f64>,
    mode: Option<Mode>,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Audio {
    files: Option<String>,
    text: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Arm {
    model: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Start,
    Center,
    Windows(Hop),
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Hop {
    #[serde(default)]
    hop: f64,
}

const GOOD: &str = "name: weights\narms:\n  - model: 630k\n  - { model: 1e10 }\naudio:\n  files: pieces\nseed: 7\n";

fn origin() -> &'static Path {
    Path::new("experiments/weights.yaml")
}

fn error(text: &str) -> String {
    parse::<Plan>(text, origin()).unwrap_err().to_string()
}

fn set(assignments: &[&str]) -> Result<Plan, YamlError> {
    let mut document = Document::parse(GOOD, origin())?;
    for assignment in assignments {
        document.set(assignment)?;
    }
    document.to()
}

#[test]
fn text_stays_as_written_where_the_schema_wants_text() {
    let plan: Plan = parse(
        "name: 007\narms: [{model: 1e10}, {model: no}, {model: 1_000}, {model: true}]\n",
        origin(),
    )
    .unwrap();
    let models: Vec<&str> = plan.arms.iter().map(|arm| arm.model.as_str()).collect();
    assert_eq!(plan.name, "007");
    assert_eq!(models, ["1e10", "no", "1_000", "true"]);
}

#[test]
fn one_of_several_may_have_settings_under_it() {
    let mode = |text: &str| set(&[text]).map(|plan| plan.mode);
    let windows = |hop| Some(Mode::Windows(Hop { hop }));
    assert_eq!(mode("mode={windows: {hop: 2.5}}").unwrap(), windows(2.5));
    assert_eq!(mode("mode.windows.hop=2").unwrap(), windows(2.0));
    assert_eq!(mode("mode=windows").unwrap(), windows(0.0));
    assert_eq!(mode("mode={windows: {}}").unwrap(), windows(0.0));
    for (text, expected) in [
        (
            "mode={window: {}}",
            "'mode' cannot be 'window'; did you mean 'windows'?",
        ),
        (
            "mode={windows: {hope: 2}}",
            "unknown key 'hope' in 'mode.windows'; did you mean 'hop'?",
        ),
        (
            "mode={start: {}, center: {}}",
            "'mode' must be one of start, center, windows, with its settings",
        ),
        ("mode={start: {hop: 1}}", "start has no settings"),
        ("mode={windows: 5}", "'mode.windows' must be"),
    ] {
        let error = mode(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn errors_name_the_line_and_what_is_valid() {
    let cases = [
        (
            GOOD.replace("audio:", "audoi:"),
            "experiments/weights.yaml:5: unknown key 'audoi'; did you mean 'audio'? \
             (valid here: name, arms, audio, seed, scale, mode)",
        ),
        (
            GOOD.replace("  files:", "  fiels:"),
            "experiments/weights.yaml:6: unknown key 'fiels' in 'audio'; did you mean 'files'? (valid here: files, text)",
        ),
        (
            GOOD.replace("seed: 7", "seed: seven"),
            "experiments/weights.yaml:7: 'seed' must be a whole number, 0 or more, found the text 'seven'",
        ),
        (
            GOOD.replace("seed: 7", "seed: -7"),
            "experiments/weights.yaml:7: 'seed' must be a whole number, 0 or more, found the number -7",
        ),
        (
            GOOD.replace("seed: 7", "mode: centre"),
            "experiments/weights.yaml:7: 'mode' cannot be 'centre'; did you mean 'center'? (valid here: start, center, windows)",
        ),
        (
            GOOD.replace("- { model: 1e10 }", "- { }"),
            "experiments/weights.yaml:4: the key 'model' is missing in 'arms.1'",
        ),
        (
            GOOD.replace("1e10", "[a]"),
            "experiments/weights.yaml:4: 'arms.1.model' must be text, found a list",
        ),
        (
            GOOD.replace("name: weights\n", ""),
            "experiments/weights.yaml: the key 'name' is missing",
        ),
        (
            GOOD.replace("seed: 7", "scale: fast"),
            "experiments/weights.yaml:7: 'scale' must be a number, found the text 'fast'",
        ),
        (
            GOOD.replace("seed: 7", "name: again"),
            "experiments/weights.yaml:7: the key 'name' is there twice",
        ),
        (
            String::new(),
            "experiments/weights.yaml: the file must be keys and values, found nothing",
        ),
        (
            "just text".into(),
            "experiments/weights.yaml: the file must be keys and values, found the text 'just text'",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(&text), expected, "for\n{text}");
    }
}

#[test]
fn what_is_no_yaml_is_an_error_with_a_line() {
    for (text, line) in [
        ("name: x\narms:\n\t- model: y\n", 3),
        ("name: \"x\n", 1),
        ("name: {a: b\n", 1),
        ("name: *nobody\n", 1),
        ("name: x\n seed: 1\n", 2),
    ] {
        let message = error(text);
        assert!(
            message.starts_with(&format!(
                "experiments/weights.yaml:{line}: this is not YAML: "
            )),
            "{message}"
        );
    }
}

#[test]
fn bombs_are_refused_quickly() {
    let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        laughs += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    let large = format!("name: {}\n", "x".repeat(10 << 20));
    let deep = format!("name: {}{}", "[".repeat(50_000), "]".repeat(50_000));
    let blocks: String = (0..2_000)
        .map(|depth| format!("{}a:\n", " ".repeat(depth.min(400))))
        .collect();
    let wide = format!("name: [{}]", "1,".repeat(400_000));
    let fat = format!("a: &a {}\nb: [{}]", "x".repeat(500_000), "*a,".repeat(200));
    let started = std::time::Instant::now();
    for text in [laughs, large, deep, blocks, wide, fat] {
        error(&text);
    }
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn set_reaches_keys_that_the_file_has_and_those_that_it_leaves_out() {
    let plan = set(&[
        "seed=9",
        "arms.1.model=other",
        "scale=0.5",
        "audio.text={taste} music",
        "mode=start",
    ])
    .unwrap();
    assert_eq!(
        (plan.seed, plan.scale, plan.mode),
        (9, Some(0.5), Some(Mode::Start))
    );
    assert_eq!(plan.arms[1].model, "other");
    assert_eq!(plan.audio.text.as_deref(), Some("{taste} music"));
    let plan = set(&[
        "arms=[{model: a}]",
        "audio={files: x}",
        "name=2024",
        "audio.text={taste}",
    ])
    .unwrap();
    assert_eq!(plan.arms, [Arm { model: "a".into() }]);
    assert_eq!(
        (plan.name.as_str(), plan.audio.text.as_deref()),
        ("2024", Some("{taste}"))
    );
    assert_eq!(set(&["name=\"a b\""]).unwrap().name, "a b");
    assert_eq!(set(&["name=a #b"]).unwrap().name, "a #b");
}

#[test]
fn a_wrong_set_is_named_as_given() {
    for (assignment, expected) in [
        ("seed", "--set seed: expected path.to.key=value"),
        (
            ".=1",
            "--set .=1: the path has an empty part; write path.to.key=value",
        ),
        (
            "audoi.files=x",
            "--set audoi.files=x: unknown key 'audoi'; did you mean 'audio'? \
             (valid here: name, arms, audio, seed, scale, mode)",
        ),
        (
            "audio.fles=x",
            "--set audio.fles=x: unknown key 'fles' in 'audio'; did you mean 'files'? (valid here: files, text)",
        ),
        (
            "arms.2.model=x",
            "--set arms.2.model=x: 'arms' is a list of 2, counted from 0, and has no '2'",
        ),
        (
            "seed.x=1",
            "--set seed.x=1: 'seed' is one value and holds no 'x'",
        ),
        (
            "seed=x",
            "--set seed=x: 'seed' must be a whole number, 0 or more, found the text 'x'",
        ),
        (
            "arms=x",
            "--set arms=x: 'arms' must be a list, found the text 'x'",
        ),
        ("name=", "--set name=: 'name' must be text, found nothing"),
    ] {
        assert_eq!(set(&[assignment]).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_later_complaint_finds_the_line_of_its_value() {
    let mut document = Document::parse(GOOD, origin()).unwrap();
    assert_eq!(
        document.invalid("arms.1.model", "no").to_string(),
        "experiments/weights.yaml:4: no"
    );
    assert_eq!(
        document.invalid("audio.text", "no").to_string(),
        "experiments/weights.yaml:5: no"
    );
    document.set("audio.text=x").unwrap();
    assert_eq!(
        document.invalid("audio.text", "no").to_string(),
        "--set audio.text=x: no"
    );
}

#[test]
fn what_the_command_line_has_set_is_known() {
    let mut document =
        Document::parse("audio: { from: a }\nseed: 1\n", Path::new("x.yaml")).unwrap();
    document.set("audio.files=b").unwrap();
    for (path, set) in [
        ("audio.files", true),
        ("audio.from", false),
        ("audio", false),
        ("audio.csv", false),
        ("audio.files.x", false),
        ("seed", false),
    ] {
        assert_eq!(document.is_set(path), set, "{path}");
    }
    document.set("audio={csv: c}").unwrap();
    assert!(
        document.is_set("audio.csv") && document.is_set("audio") && !document.is_set("audio.from")
    );
}

#[test]
fn a_file_may_call_a_key_by_another_name() {
    let read = |text: &str| {
        let mut document = Document::parse(text, Path::new("w.yaml")).unwrap();
        assert!(!document.has("arms") && document.has("name"));
        document.call("arms", "legs");
        document.to::<Plan>().map_err(|e| e.to_string())
    };
    let plan = read("name: x\nlegs: [{ model: a }]\n").unwrap();
    assert_eq!(plan.arms[0].model, "a");
    for (text, expected) in [
        ("name: x\n", "w.yaml: the key 'legs' is missing"),
        (
            "name: x\nlegs: 3\n",
            "w.yaml:2: 'legs' must be a list, found the number 3",
        ),
        (
            "name: x\nlegs:\n  - { modl: a }\n",
            "w.yaml:3: unknown key 'modl' in 'legs.0'; did you mean 'model'? (valid here: model)",
        ),
        (
            "name: x\nleg: []\n",
            "w.yaml:2: unknown key 'leg'; did you mean 'legs'? (valid here: name, legs, audio, seed, scale, mode)",
        ),
    ] {
        assert_eq!(read(text).unwrap_err(), expected);
    }
    let mut document = Document::parse("name: x\nlegs: []\n", Path::new("w.yaml")).unwrap();
    document.set("legs=[{ model: b }]").unwrap();
    document.call("arms", "legs");
    assert!(document.is_set("arms"));
    let told = document.invalid("arms.0", "wrong").to_string();
    assert_eq!(told, "--set legs=[{ model: b }]: wrong");
}
