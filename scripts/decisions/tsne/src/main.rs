//! t-SNE of the project beside the packages that do it: time, and whether the bits of a map depend on threads.
//!
//!     cargo run --release -- ours|bhtsne|linfa POINTS DIMENSIONS SPREAD
//!
//! Points are normalised, in four clouds whose points lie SPREAD around their centre, where 1 is the spread of the centres; the same for every call; theta 0.5, perplexity 30, learning rate 200, 1,000
//! iterations, one start for all that take one. Prints seconds, the map's sha256, and the share of the ten nearest neighbours
//! that are neighbours on the map.

use std::time::Instant;

use analysis::tsne::{TsneSettings, tsne};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

const CLOUDS: usize = 4;

/// Sum of twelve uniform numbers, less six.
fn normal(rng: &mut ChaCha20Rng) -> f32 {
    (0..12)
        .map(|_| rng.next_u32() as f32 / u32::MAX as f32)
        .sum::<f32>()
        - 6.0
}

/// `[points, dimensions]`, row by row, of length 1.
fn points(count: usize, dimensions: usize, spread: f32) -> Vec<f32> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let centres: Vec<f32> = (0..CLOUDS * dimensions).map(|_| normal(&mut rng)).collect();
    let mut all = Vec::with_capacity(count * dimensions);
    for i in 0..count {
        let centre = &centres[i % CLOUDS * dimensions..][..dimensions];
        let row: Vec<f32> = centre
            .iter()
            .map(|c| c + spread * normal(&mut rng))
            .collect();
        let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
        all.extend(row.iter().map(|v| v / length));
    }
    all
}

fn euclidean(a: &[f32], b: &[f32]) -> f32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b) * (a - b))
        .sum::<f32>()
        .sqrt()
}

fn nearest(rows: &[f32], width: usize, of: usize) -> Vec<usize> {
    let row = |i: usize| &rows[i * width..][..width];
    let mut others: Vec<usize> = (0..rows.len() / width).filter(|&i| i != of).collect();
    others.sort_by(|&a, &b| euclidean(row(of), row(a)).total_cmp(&euclidean(row(of), row(b))));
    others.truncate(10);
    others
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [who, count, dimensions, spread] = arguments.as_slice() else {
        panic!("see the top of src/main.rs");
    };
    let (count, dimensions): (usize, usize) = (count.parse().unwrap(), dimensions.parse().unwrap());
    let data = points(count, dimensions, spread.parse().unwrap());
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let start: Vec<f32> = (0..2 * count).map(|_| 1e-4 * normal(&mut rng)).collect();
    let began = Instant::now();
    let map: Vec<f32> = match who.as_str() {
        "ours" => {
            let settings = TsneSettings {
                pca_components: 0,
                iterations: 1000,
                ..TsneSettings::default()
            };
            let data = ndarray::ArrayView2::from_shape((count, dimensions), &data).unwrap();
            let map = tsne(data, &settings, 0).unwrap();
            map.points.iter().map(|v| *v as f32).collect()
        }
        "bhtsne" => {
            let rows: Vec<&[f32]> = data.chunks(dimensions).collect();
            let mut tsne = bhtsne::tSNE::<f32, &[f32], 2>::new(&rows);
            tsne.perplexity(30.0)
                .epochs(1000)
                .learning_rate(200.0)
                .initial_embedding(start);
            tsne.barnes_hut(0.5, |a, b| euclidean(a, b));
            tsne.embedding()
        }
        "linfa" => {
            use linfa::traits::Transformer;
            let data = linfa_ndarray::Array2::from_shape_vec(
                (count, dimensions),
                data.iter().map(|v| f64::from(*v)).collect(),
            )
            .unwrap();
            let map = linfa_tsne::TSneParams::embedding_size(2)
                .perplexity(30.0)
                .approx_threshold(0.5)
                .max_iter(1000)
                .transform(data)
                .unwrap();
            map.iter().map(|v| *v as f32).collect()
        }
        other => panic!("{other} is not known"),
    };
    let seconds = began.elapsed().as_secs_f64();
    let mut hash = Sha256::new();
    map.iter().for_each(|v| hash.update(v.to_le_bytes()));
    let hash: String = hash
        .finalize()
        .iter()
        .take(6)
        .map(|b| format!("{b:02x}"))
        .collect();
    let asked: Vec<usize> = (0..count).step_by((count / 100).max(1)).collect();
    let kept: usize = asked
        .iter()
        .map(|&i| {
            let there = nearest(&map, 2, i);
            nearest(&data, dimensions, i)
                .iter()
                .filter(|n| there.contains(n))
                .count()
        })
        .sum();
    println!(
        "{who} {count} x {dimensions}: {seconds:.2} s, {hash}, keeps {:.2}",
        kept as f64 / (10 * asked.len()) as f64
    );
}
