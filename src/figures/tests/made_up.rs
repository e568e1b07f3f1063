//! Run folders with made-up numbers.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::labels::Word;
use crate::tables::clusters::{ClusterKind, Metric};
use crate::tables::manifest::MANIFEST;
use crate::tables::scores::{drawn, row};
use crate::tables::similarity::Against;
use crate::tables::{
    self, ClusterRow, HistogramRow, MapRow, NearestRow, Row, ScoreRow, SimilarityRow, TextKind,
};

pub const TASTES: [&str; 20] = [
    "bitter",
    "sour",
    "sweet",
    "salty",
    "astringent",
    "burnt",
    "citrus",
    "creamy",
    "earthy",
    "fatty",
    "fermented",
    "floral",
    "fruity",
    "metallic",
    "minty",
    "nutty",
    "smoky",
    "spicy",
    "umami",
    "woody",
];
pub const ARMS: [&str; 3] = ["fusion on", "fusion off", "music"];
const CHECKPOINTS: [&str; 3] = [
    "630k-audioset-fusion-best.pt",
    "630k-audioset-best.pt",
    "music_audioset_epoch_15_esc_90.14.pt",
];

/// What a folder holds.
#[derive(Debug, Clone)]
pub struct MadeUp<'a> {
    pub tastes: Vec<&'a str>,
    pub arms: Vec<&'a str>,
    pub pieces: usize,
    /// Draws of each prompt; 0 where the pieces were found.
    pub draws: usize,
    pub random: bool,
}

impl MadeUp<'_> {
    pub fn new(tastes: usize, arms: usize, pieces: usize) -> Self {
        Self {
            tastes: TASTES[..tastes].to_vec(),
            arms: ARMS[..arms].to_vec(),
            pieces,
            draws: 0,
            random: false,
        }
    }

    pub fn scores(&self) -> Vec<ScoreRow> {
        let one = |a: usize, i: usize| {
            let t = i % self.tastes.len();
            let piece = noise(i, 1) + noise(i, 5);
            let own = noise(i, 10 + a) + noise(i, 20 + a);
            let level = 0.25 * noise(t, 3) + 0.04 * a as f64;
            let score = level + 0.12 * piece + 0.07 * own + 0.1;
            let arm = self.arms[a];
            if self.draws == 0 {
                return row(&format!("{}", i + 1), arm, self.tastes[t], score);
            }
            let prompt = format!("{}", i / self.draws + 1);
            let t = (i / self.draws) % self.tastes.len();
            let mut row = drawn(&prompt, i % self.draws + 1, arm, score);
            row.taste = self.tastes[t].to_owned();
            row
        };
        let arms = 0..self.arms.len();
        arms.flat_map(|a| (0..self.pieces).map(move |i| (a, i)))
            .map(|(a, i)| one(a, i))
            .collect()
    }

    /// Write every CSV of a scored run.
    pub fn write(&self, folder: &Path) {
        let scores = self.scores();
        tables::write(&folder.join(ScoreRow::FILE), &scores, &Word::default()).unwrap();
        write(folder, &self.maps(&scores));
        write(folder, &self.similarity());
        write(folder, &self.clusters());
        let arms = self.arms.iter().zip(CHECKPOINTS);
        let arms = arms.map(|(name, file)| json!({"name": name, "checkpoint": file}));
        let maps = self.arms.iter().map(|arm| {
            let perplexity = (self.pieces as f64 / 3.0 - 1.0).min(30.0);
            json!({"map": arm, "n": self.pieces, "perplexity_asked": 30, "perplexity": perplexity})
        });
        let manifest = json!({
            "experiment": "weights",
            "seed": 0,
            "random_weights": self.random,
            "harness": {"version": "0.1.0"},
            "arms": arms.collect::<Vec<_>>(),
            "maps": maps.collect::<Vec<_>>(),
        });
        fs::write(folder.join(MANIFEST), manifest.to_string()).unwrap();
    }

    fn maps(&self, scores: &[ScoreRow]) -> Vec<MapRow> {
        let mut rows = Vec::new();
        let place = |row: &ScoreRow, i: usize, apart: f64| {
            let t = self.tastes.iter().position(|taste| *taste == row.taste);
            let angle = t.unwrap_or(0) as f64 * 2.4;
            let spread = 4.0 * noise(i, 31) + 4.0 * noise(i, 32);
            let other = 4.0 * noise(i, 33) + 4.0 * noise(i, 34);
            (
                6.0 * angle.cos() + spread + apart,
                5.0 * angle.sin() + other,
            )
        };
        for (i, row) in scores.iter().enumerate() {
            let (tsne_1, tsne_2) = place(row, i, 0.0);
            rows.push(MapRow {
                map: row.arm.clone(),
                arm: row.arm.clone(),
                id: row.id.clone(),
                taste: row.taste.clone(),
                tsne_1,
                tsne_2,
            });
        }
        if self.arms.len() > 1 {
            for (count, part) in [(20, 3), (30, 2), (50, 1)] {
                for (i, row) in scores.iter().enumerate().step_by(part) {
                    let arm = self.arms.iter().position(|arm| *arm == row.arm);
                    let (tsne_1, tsne_2) = place(row, i, 25.0 * arm.unwrap_or(0) as f64);
                    rows.push(MapRow {
                        map: format!("joint, {count} rows a taste"),
                        arm: row.arm.clone(),
                        id: row.id.clone(),
                        taste: row.taste.clone(),
                        tsne_1,
                        tsne_2,
                    });
                }
            }
        }
        rows
    }

    fn similarity(&self) -> Vec<SimilarityRow> {
        let mut rows = Vec::new();
        for (k, arm) in self.arms.iter().enumerate() {
            for against in [Against::Audio, Against::Text] {
                for (i, a) in self.tastes.iter().enumerate() {
                    for (j, b) in self.tastes.iter().enumerate() {
                        let low_high = i.min(j) * 31 + i.max(j);
                        let similarity = match against {
                            Against::Audio if i == j => 0.82 + 0.05 * noise(i, 7),
                            Against::Audio => 0.62 + 0.15 * noise(low_high, 8 + k),
                            Against::Text => 0.25 * noise(i * 31 + j, 9 + k),
                        };
                        rows.push(SimilarityRow {
                            arm: (*arm).to_owned(),
                            against,
                            taste_a: (*a).to_owned(),
                            taste_b: (*b).to_owned(),
                            n: if i == j { 300 } else { 625 },
                            similarity,
                        });
                    }
                }
            }
        }
        rows
    }

    fn clusters(&self) -> Vec<ClusterRow> {
        let mut rows = Vec::new();
        let subsets = match self.arms.len() {
            1 => vec![None],
            _ => vec![Some(20), Some(30), None],
        };
        let row = |metric, arm: &str, arm_b: Option<&str>, subset: Option<usize>, value: f64| {
            ClusterRow {
                kind: ClusterKind::Audio,
                metric,
                arm: arm.to_owned(),
                arm_b: arm_b.map(str::to_owned),
                taste: "all".to_owned(),
                pieces_per_taste: subset,
                n: subset.map_or(self.pieces, |subset| subset * self.tastes.len()),
                value,
                ci_low: Some(value - 0.021),
                ci_high: Some(value + 0.03),
                p: Some((value / 5.0).abs()),
            }
        };
        for subset in subsets {
            for (i, arm) in self.arms.iter().enumerate() {
                let value = 0.05 + 0.03 * noise(i + subset.unwrap_or(0), 4);
                rows.push(row(Metric::Silhouette, arm, None, subset, value));
                let worse = Metric::DaviesBouldin;
                rows.push(row(worse, arm, None, subset, 3.0));
            }
            for (i, a) in self.arms.iter().enumerate() {
                for b in &self.arms[i + 1..] {
                    let value = 0.02 * noise(i + b.len(), 6);
                    let metric = Metric::SilhouetteDifference;
                    rows.push(row(metric, a, Some(b), subset, value));
                }
            }
        }
        rows
    }
}

/// Two sets of pieces under so many arms.
pub fn compared(arms: usize, pieces: usize, folder: &Path) {
    let made_up = MadeUp::new(4, arms, pieces);
    let mut rows = Vec::new();
    for (s, set) in ["base prompts", "improved prompts"].into_iter().enumerate() {
        for mut row in made_up.scores() {
            row.clap_score += 0.06 * s as f64 + 0.1 * noise(row.id.len() + rows.len(), 77);
            row.set = Some(set.to_owned());
            row.condition = Some(match arms {
                1 => set.to_owned(),
                _ => format!("{set}, {}", row.arm),
            });
            row.own_prompt = Some("=music".to_owned());
            rows.push(row);
        }
    }
    tables::write(&folder.join(ScoreRow::FILE), &rows, &Word::default()).unwrap();
    let mut maps = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        maps.push(MapRow {
            map: row.arm.clone(),
            arm: row.condition().to_owned(),
            id: row.id.clone(),
            taste: row.taste.clone(),
            tsne_1: 10.0 * noise(i, 51) + if row.taste == "sweet" { 9.0 } else { 0.0 },
            tsne_2: 10.0 * noise(i, 52) + if row.taste == "sour" { 9.0 } else { 0.0 },
        });
    }
    write(folder, &maps);
}

/// A run of texts.
pub fn texts(captions: usize, tastes: bool, folder: &Path) {
    let mut histogram = Vec::new();
    for (set, middle, width) in [("caption", 0.45, 0.16), ("descriptor", 0.25, 0.12)] {
        for i in 0..100 {
            let low = -1.0 + 0.02 * f64::from(i);
            let distance: f64 = (low + 0.01 - middle) / width;
            histogram.push(HistogramRow {
                set: set.to_owned(),
                low,
                high: low + 0.02,
                count: (2e6 * (-distance * distance / 2.0).exp()) as u64,
            });
        }
    }
    write(folder, &histogram);
    let mut maps = Vec::new();
    for i in 0..captions {
        let t = (11 * i) % 5;
        let angle = t as f64 * 1.4;
        maps.push(MapRow {
            map: "music".to_owned(),
            arm: "music".to_owned(),
            id: format!("yt{i}"),
            taste: match (tastes, t) {
                (true, 0..4) => TASTES[t].to_owned(),
                _ => String::new(),
            },
            tsne_1: 40.0 * angle.cos() + 45.0 * (noise(i, 41) + noise(i, 43)),
            tsne_2: 40.0 * angle.sin() + 45.0 * (noise(i, 42) + noise(i, 44)),
        });
    }
    write(folder, &maps);
    let mut nearest = Vec::new();
    for query in ["sweet", "bitter", "sour, sharp", "salty"] {
        for kind in [TextKind::Caption, TextKind::Descriptor] {
            for rank in 1..=10 {
                let text = match kind {
                    TextKind::Caption => {
                        "The low quality recording features a ballad song that contains sustained strings, mellow piano melody and soft female vocal singing over it. It sounds sad and soulful, like something you would hear at Sunday services."
                    }
                    TextKind::Descriptor => "mellow piano melody with a very soft touch",
                };
                nearest.push(NearestRow {
                    query: query.to_owned(),
                    kind,
                    rank,
                    similarity: 0.7 - 0.03 * rank as f64,
                    text: format!("{rank} {text}"),
                    id: format!("{rank}"),
                });
            }
        }
    }
    write(folder, &nearest);
    let manifest = json!({"experiment": "musiccaps_text", "seed": 0, "harness": {"version": "0.1.0"},
        "settings": {"task": "texts"}, "arms": [{"name": "music", "checkpoint": CHECKPOINTS[2]}],
        "maps": [{"map": "music", "n": captions, "perplexity_asked": 30.0, "perplexity": 30.0}]});
    fs::write(folder.join(MANIFEST), manifest.to_string()).unwrap();
}

pub fn write<T: Row>(folder: &Path, rows: &[T]) {
    tables::write(&folder.join(T::FILE), rows, &Word::default()).unwrap();
}

/// Between -1 and 1, the same each time.
fn noise(i: usize, stream: usize) -> f64 {
    let mut x = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (stream as u64) << 40;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}
