//! Checkpoints that are not what their card says: refused before anything runs.

use crate::support::Lab;

const SHORT: [(&str, &str); 1] = [("sweet_01.wav", "sweet_01.wav")];

fn nothing_was_made(lab: &Lab) {
    assert!(!lab.at("runs").exists());
    assert!(!lab.at("models/graphs").exists());
}

/// The notebook's silent mistake: the music weights under a model with fusion on.
#[test]
fn a_checkpoint_without_fusion_layers_cannot_be_run_with_fusion_on() {
    let lab = Lab::with(&SHORT);
    lab.card("music", "{ path: ../music.pt }", true);
    let ran = lab.harness(&["run", "lab.yaml", "--set", "arms.1.model=music"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(
        ran.stderr.starts_with("error: card music: "),
        "{}",
        ran.stderr
    );
    for tensor in [
        "patch_embed.mel_conv2d.weight",
        "patch_embed.fusion_model.local_att.0.weight",
    ] {
        assert!(ran.stderr.contains(tensor), "{}", ran.stderr);
    }
    nothing_was_made(&lab);
}

#[test]
fn a_wrong_sha256_is_refused() {
    let lab = Lab::with(&SHORT);
    let found = files::sha256_bytes(&lab.read("plain.pt"));
    let pinned = "ab".repeat(32);
    lab.card(
        "plain",
        &format!("{{ path: ../plain.pt, sha256: {pinned} }}"),
        false,
    );
    lab.refused(
        &[],
        1,
        &format!(
            "card plain: models/../plain.pt has the sha256 {found}, the card says {pinned}; it is another file, or \
             damaged: fetch it again, or correct the card"
        ),
    );
    nothing_was_made(&lab);
}

#[test]
fn a_checkpoint_that_is_missing_or_damaged_is_named() {
    let lab = Lab::with(&SHORT);
    let whole = lab.read("plain.pt");
    std::fs::write(lab.at("plain.pt"), &whole[..whole.len() / 2]).unwrap();
    let ran = lab.harness(&["run", "lab.yaml"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(
        ran.stderr.starts_with("error: card plain: ") && ran.stderr.contains("plain.pt"),
        "{}",
        ran.stderr
    );
    std::fs::remove_file(lab.at("plain.pt")).unwrap();
    lab.refused(
        &[],
        1,
        "card plain: models/../plain.pt does not exist; correct the card's `path`, which is taken from the card's own folder",
    );
    nothing_was_made(&lab);
}
