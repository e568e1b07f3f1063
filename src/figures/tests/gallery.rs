//! Every figure in every size of data, for people to look at: `cargo test --release --lib gallery -- --ignored` writes
//! them into `target/gallery/`.

use std::fs;
use std::path::{Path, PathBuf};

use super::made_up::{MadeUp, compared, texts};
use super::strange::strangers;
use crate::analysis;
use crate::figures::redraw;
use crate::report::{self, Row, ScoreRow, StatsRow};

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/gallery");
    let folder = folder.join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
#[ignore = "for people to look at"]
fn gallery() {
    let timed = |name: &str, fill: &dyn Fn(&Path)| {
        let folder = folder(name);
        fill(&folder);
        // A finished run has them.
        if let Ok(scores) = report::read::<ScoreRow>(&folder.join(ScoreRow::FILE)) {
            let scores = scores.into_iter().map(|row| ScoreRow {
                arm: row.condition().to_owned(),
                ..row
            });
            let stats = analysis::stats(&scores.collect::<Vec<_>>(), 0).unwrap();
            report::write(&folder.join(StatsRow::FILE), &stats).unwrap();
        }
        let clock = std::time::Instant::now();
        redraw(&folder).unwrap();
        println!("{name}: {:.2} s", clock.elapsed().as_secs_f64());
    };
    for (tastes, arms, pieces) in [
        (4, 1, 12),
        (4, 1, 100),
        (4, 3, 12),
        (4, 3, 100),
        (4, 2, 5521),
        (20, 1, 100),
        (20, 3, 100),
        (20, 3, 5521),
        (9, 2, 100),
    ] {
        timed(&format!("{tastes}-{arms}-{pieces}"), &|folder| {
            MadeUp::new(tastes, arms, pieces).write(folder);
        });
    }
    for (arms, prompts, draws) in [(1, 4, 25), (1, 100, 1), (3, 100, 1), (3, 4, 25), (1, 20, 5)] {
        timed(&format!("drawn-{arms}-{prompts}-{draws}"), &|folder| {
            let mut made_up = MadeUp::new(4, arms, prompts * draws);
            made_up.draws = draws;
            made_up.random = arms == 3;
            made_up.write(folder);
        });
    }
    let strangers = strangers();
    timed("strange", &|folder| {
        let mut made_up = MadeUp::new(4, 3, 60);
        made_up.draws = 3;
        made_up.arms = vec![&strangers[0], &strangers[11], &strangers[4]];
        made_up.tastes = strangers.iter().map(String::as_str).collect();
        made_up.write(folder);
    });
    timed("compared-1", &|folder| compared(1, 100, folder));
    timed("compared-3", &|folder| compared(3, 100, folder));
    timed("texts", &|folder| texts(5521, true, folder));
    timed("texts-plain", &|folder| texts(5521, false, folder));
}
