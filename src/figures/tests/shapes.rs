//! Every size of data: few and many tastes, arms and points.

use std::fs;

use super::made_up::{ARMS, MadeUp, compared, texts};
use super::{assert_printable, bytes, stems, svgs};
use crate::figures::run::RANDOM;
use crate::figures::{STEMS, about, drawn};
use crate::labels::{Labels, Word};
use crate::tables::scores::row;
use crate::tables::{self, Row, ScoreRow, StatsRow};

#[test]
fn every_size_of_data_prints() {
    for (tastes, arms, pieces) in [
        (4, 1, 12),
        (4, 1, 100),
        (4, 3, 12),
        (4, 3, 100),
        (9, 2, 100),
        (20, 1, 100),
        (20, 3, 100),
        (4, 1, 5521),
    ] {
        let folder = tempfile::tempdir().unwrap();
        MadeUp::new(tastes, arms, pieces).write(folder.path());
        let figures = svgs(folder.path());
        let mut expected = vec!["scores", "tsne", "clusters", "similarity"];
        if arms > 1 {
            expected.insert(1, "differences");
            expected.insert(3, "tsne_joint");
        }
        if tastes > 8 {
            expected.push("similarity_text");
        }
        assert_eq!(stems(&figures), expected);
        for (stem, svg) in &figures {
            let name = format!("{stem} of {tastes} tastes, {arms} arms, {pieces} pieces");
            assert_printable(&name, svg);
            assert!(svg.contains(&*about(stem, &Word::default())), "{name}");
        }
    }
}

#[test]
fn titles_say_what_was_measured_on_what_and_with_n() {
    let folder = tempfile::tempdir().unwrap();
    MadeUp::new(4, 3, 100).write(folder.path());
    let titles = [
        (
            "scores",
            "CLAP score by taste: 100 pieces under 3 checkpoints",
        ),
        (
            "differences",
            "Paired differences in CLAP score: 100 pieces under 3 checkpoints",
        ),
        (
            "tsne",
            "t-SNE maps of audio embeddings: 100 pieces under 3 checkpoints",
        ),
        (
            "tsne_joint",
            "Joint t-SNE maps of audio embeddings: 100 pieces under 3 checkpoints",
        ),
        (
            "clusters",
            "Separation of the tastes (silhouette): 100 pieces under 3 checkpoints",
        ),
        (
            "similarity",
            "Mean cosine by taste: 100 pieces under 3 checkpoints",
        ),
    ];
    let figures = svgs(folder.path());
    assert_eq!(stems(&figures), titles.map(|(stem, _)| stem));
    for ((_, svg), (_, title)) in figures.iter().zip(titles) {
        assert!(svg.contains(&format!("<title>{title}</title>")), "{title}");
        assert!(svg.contains(&format!("\n{title}\n")), "{title}");
        assert!(svg.contains("\nweights · 100 pieces · seed 0 · harness 0.1.0\n"));
        assert!(!svg.contains(RANDOM));
    }
}

#[test]
fn a_lowered_perplexity_is_told() {
    let folder = tempfile::tempdir().unwrap();
    MadeUp::new(4, 1, 12).write(folder.path());
    let figures = svgs(folder.path());
    let (_, tsne) = figures.iter().find(|(stem, _)| stem == "tsne").unwrap();
    assert!(tsne.contains("n = 12 · perplexity lowered to 3 from 30"));
}

#[test]
fn sets_of_pieces_are_compared_under_one_arm_at_a_time() {
    for arms in [1, 3] {
        let folder = tempfile::tempdir().unwrap();
        compared(arms, 100, folder.path());
        let figures = svgs(folder.path());
        assert_eq!(
            stems(&figures),
            ["scores", "differences", "histogram", "tsne"]
        );
        for (stem, svg) in &figures {
            assert_printable(&format!("{stem}, {arms} arms"), svg);
            assert!(svg.contains("200 pieces in 2 sets under"), "{stem}");
        }
        let differences = &figures[1].1;
        assert_eq!(differences.matches("\n100 pairs\n").count(), arms);
        let legend = ["base prompts", "improved prompts"];
        for set in legend {
            let named = format!("\n{set}\n");
            assert_eq!(figures[3].1.matches(&named).count(), 1, "{set}");
        }
        if arms == 1 {
            assert!(differences.contains("\nbase prompts − improved prompts\n"));
        }
    }
}

#[test]
fn texts_have_no_scores_and_their_figures() {
    for tastes in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        texts(5521, tastes, folder.path());
        let figures = svgs(folder.path());
        assert_eq!(stems(&figures), ["histogram", "tsne", "nearest"]);
        for (stem, svg) in &figures {
            assert_printable(stem, svg);
        }
        assert!(figures[0].1.contains("pairs of captions and"));
        assert!(
            figures[1]
                .1
                .contains("t-SNE map of text embeddings: 5,521 captions")
        );
        assert_eq!(figures[1].1.contains("\nsweet\n"), tastes);
        assert!(figures[2].1.contains("\n“sour, sharp”\n"));
    }
}

#[test]
fn pieces_that_were_made_are_drawn_by_prompt_too() {
    for (arms, prompts, draws) in [
        (1, 1, 1),
        (1, 4, 25),
        (1, 20, 5),
        (1, 100, 1),
        (3, 100, 1),
        (3, 4, 25),
        (1, 900, 1),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut made_up = MadeUp::new(4, arms, prompts * draws);
        made_up.draws = draws;
        let path = folder.path().join(ScoreRow::FILE);
        tables::write(&path, &made_up.scores(), &Word::default()).unwrap();
        let figures = svgs(folder.path());
        let (_, svg) = figures.iter().find(|f| f.0 == "by_prompt").unwrap();
        let name = format!("by_prompt of {arms} arms, {prompts} prompts, {draws} draws");
        assert_printable(&name, svg);
        assert!(svg.contains("CLAP score by prompt: "));
        assert_eq!(svg.contains("dot: one draw"), draws > 1, "{name}");
        let cut = svg.contains(&format!(" of {prompts} prompts; all are in scores.csv"));
        assert_eq!(cut, arms * prompts > 200, "{name}");
    }
}

#[test]
fn figures_come_out_the_same_each_time_with_and_without_stats() {
    let folder = tempfile::tempdir().unwrap();
    let made_up = MadeUp::new(4, 3, 100);
    made_up.write(folder.path());
    let stats = crate::statistics::stats(&made_up.scores(), 0, &Labels::default()).unwrap();
    tables::write(
        &folder.path().join(StatsRow::FILE),
        &stats,
        &Word::default(),
    )
    .unwrap();
    let first = bytes(folder.path());
    assert_eq!(first.len(), 12);
    assert!(bytes(folder.path()) == first);
    fs::remove_file(folder.path().join(StatsRow::FILE)).unwrap();
    assert!(bytes(folder.path()) == first);
    let manifest = crate::tables::manifest::read(folder.path()).unwrap();
    let again = drawn(folder.path(), &manifest.unwrap()).unwrap();
    let svgs = first.iter().step_by(2);
    assert!(again.iter().map(|figure| figure.svg.as_bytes()).eq(svgs));
}

#[test]
fn pngs_have_300_dots_an_inch_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    MadeUp::new(4, 1, 12).write(folder.path());
    for pair in bytes(folder.path()).chunks(2) {
        let svg = std::str::from_utf8(&pair[0]).unwrap();
        let attribute = |name: &str| -> f64 {
            let (_, rest) = svg.split_once(&format!("{name}=\"")).unwrap();
            rest.split_once('"').unwrap().0.parse().unwrap()
        };
        let decoder = png::Decoder::new(std::io::Cursor::new(&pair[1]));
        let reader = decoder.read_info().unwrap();
        let info = reader.info();
        let pixels = |px: f64| (px * 300.0 / 96.0).round() as u32;
        assert_eq!(info.width, pixels(attribute("width")));
        assert_eq!(info.height, pixels(attribute("height")));
        let dims = info.pixel_dims.unwrap();
        assert_eq!((dims.xppu, dims.yppu), (11811, 11811));
        assert_eq!(dims.unit, png::Unit::Meter);
    }
}

#[test]
fn random_weights_are_written_across_every_panel() {
    let folder = tempfile::tempdir().unwrap();
    let mut made_up = MadeUp::new(4, 2, 100);
    made_up.random = true;
    made_up.write(folder.path());
    for (stem, svg) in svgs(folder.path()) {
        let panels = match stem.as_str() {
            "differences" => 1,
            "tsne_joint" => 3,
            "similarity" => 4,
            _ => 2,
        };
        assert_eq!(svg.matches("\nrandom weights:\n").count(), panels, "{stem}");
        assert_eq!(
            svg.matches(RANDOM).count(),
            1,
            "{stem}: in full at the foot"
        );
    }
}

#[test]
fn little_data_draws_too() {
    let draw = |rows: &[ScoreRow]| {
        let folder = tempfile::tempdir().unwrap();
        tables::write(&folder.path().join(ScoreRow::FILE), rows, &Word::default()).unwrap();
        let figures = svgs(folder.path());
        for (stem, svg) in &figures {
            assert_printable(stem, svg);
        }
        figures
    };
    let mut rows = vec![row("1", "a", "sweet", 0.3)];
    draw(&rows);
    rows.push(row("2", "b", "", -1.0));
    let figures = draw(&rows);
    assert!(figures[0].1.contains("\nall\n") && figures[1].1.contains("\nno pieces\n"));
    assert!(figures[0].1.contains("2 pieces under 2 arms"));
    let untasted: Vec<_> = (0..5).map(|i| row(&i.to_string(), "a", "", 0.25)).collect();
    assert!(
        draw(&untasted)[0]
            .1
            .contains("CLAP score: 5 pieces under 1 arm")
    );
    let many: Vec<_> = (0..9 * 12)
        .map(|i| {
            let (arm, taste) = (
                format!("arm {} {}", i / 12, "long ".repeat(40)),
                format!("taste-{}", i % 12),
            );
            row(&(i % 12).to_string(), &arm, &taste, 0.01 * f64::from(i))
        })
        .collect();
    assert_eq!(draw(&many).len(), 2);
}

#[test]
fn points_in_one_place_draw_too() {
    let folder = tempfile::tempdir().unwrap();
    let made_up = MadeUp::new(4, 1, 12);
    made_up.write(folder.path());
    let path = folder.path().join("maps.csv");
    let mut maps: Vec<tables::MapRow> = tables::read(&path, &Word::default()).unwrap();
    for point in &mut maps {
        (point.tsne_1, point.tsne_2) = (3.0, -1e9);
    }
    tables::write(&path, &maps, &Word::default()).unwrap();
    for (stem, svg) in svgs(folder.path()) {
        assert_printable(&stem, &svg);
    }
}

#[test]
fn figures_of_an_earlier_run_do_not_stay() {
    let folder = tempfile::tempdir().unwrap();
    MadeUp::new(4, 2, 12).write(folder.path());
    svgs(folder.path());
    let figures = folder.path().join("figures");
    fs::write(figures.join("mine.svg"), "kept").unwrap();
    fs::remove_file(folder.path().join("maps.csv")).unwrap();
    svgs(folder.path());
    assert!(!figures.join("tsne.png").exists() && !figures.join("tsne_joint.svg").exists());
    assert!(figures.join("mine.svg").exists() && figures.join("scores.svg").exists());
}

#[test]
fn every_stem_is_told_about() {
    assert!(
        STEMS
            .iter()
            .all(|(stem, text)| &*about(stem, &Word::default()) == *text)
    );
    let mood = Word::new("mood", None).unwrap();
    assert_eq!(&*about("nothing", &mood), "");
    assert!(about("scores", &mood).contains(" by mood, "));
    assert_eq!(ARMS.len(), 3);
}
