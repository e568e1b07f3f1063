use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::*;
use crate::seeds;

fn stream(item: &str) -> ChaCha20Rng {
    seeds::stream(1, "sampler", item, "sampling")
}

fn sampler(temperature: f32, top_k: usize, top_p: f32) -> Sampler {
    Sampler::new(Choice::sample(temperature, top_k, top_p).unwrap())
}

/// 2048 logits between about -4 and 4 without order; `seed` gives others.
fn logits(seed: &str) -> Vec<f32> {
    let mut rng = stream(seed);
    let mut uniform = || rng.next_u32() as f32 / u32::MAX as f32;
    (0..2048)
        .map(|_| (0..4).map(|_| 4.0 * uniform() - 2.0).sum::<f32>() / 2.0)
        .collect()
}

/// Softmax with temperature over the codes in `kept`, written from the definition.
fn softmax(logits: &[f32], kept: &[usize], temperature: f64) -> Vec<f64> {
    let mut p = vec![0.0; logits.len()];
    for &code in kept {
        p[code] = (f64::from(logits[code]) / temperature).exp();
    }
    let total: f64 = p.iter().sum();
    p.iter().map(|x| x / total).collect()
}

/// Codes by falling logit.
fn falling(logits: &[f32]) -> Vec<usize> {
    let mut codes: Vec<usize> = (0..logits.len()).collect();
    codes.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
    codes
}

/// 100,000 draws against the probabilities: nothing is drawn that has none, and the chi-square statistic stays below
/// what chance exceeds once in a thousand times. Codes of which fewer than five are expected count together.
fn assert_drawn_as(expected: &[f64], logits: &[f32], mut sampler: Sampler) {
    const DRAWS: usize = 100_000;
    let mut rng = stream("chi-square");
    let mut drawn = vec![0usize; logits.len()];
    for _ in 0..DRAWS {
        drawn[sampler.choose(logits, &mut rng).unwrap() as usize] += 1;
    }
    let (mut statistic, mut cells) = (0.0, 0);
    let (mut rare_drawn, mut rare_expected) = (0.0, 0.0);
    let mut cell = |drawn: f64, expected: f64| {
        statistic += (drawn - expected).powi(2) / expected;
        cells += 1;
    };
    for (count, p) in drawn.iter().zip(expected) {
        let (count, mean) = (*count as f64, p * DRAWS as f64);
        if *p == 0.0 {
            assert_eq!(count, 0.0, "a code was drawn that cannot be");
        } else if mean < 5.0 {
            rare_drawn += count;
            rare_expected += mean;
        } else {
            cell(count, mean);
        }
    }
    if rare_expected >= 5.0 {
        cell(rare_drawn, rare_expected);
    }
    assert!(cells >= 10, "{cells} cells say little");
    let bound = ChiSquared::new(f64::from(cells - 1))
        .unwrap()
        .inverse_cdf(0.999);
    assert!(
        statistic < bound,
        "chi-square {statistic} with {cells} cells, at most {bound}"
    );
}

#[test]
fn frequencies_are_those_of_softmax_with_temperature_and_top_k() {
    let logits = logits("a");
    let top = falling(&logits);
    for (temperature, top_k) in [(1.0, 50), (0.7, 50), (1.8, 250)] {
        let expected = softmax(&logits, &top[..top_k], f64::from(temperature as f32));
        assert_drawn_as(&expected, &logits, sampler(temperature as f32, top_k, 1.0));
    }
}

#[test]
fn all_codes_can_be_drawn_with_top_k_0_or_the_vocabulary() {
    let logits = logits("b");
    let expected = softmax(&logits, &falling(&logits), 1.0);
    for top_k in [0, 2048] {
        assert_drawn_as(&expected, &logits, sampler(1.0, top_k, 1.0));
    }
}

#[test]
fn frequencies_are_those_of_softmax_with_top_p() {
    let logits = logits("c");
    let top = falling(&logits);
    // The likeliest until they reach top_p, that one included.
    let all = softmax(&logits, &top[..200], 0.8);
    let mut sum = 0.0;
    let reached = top.iter().position(|code| {
        sum += all[*code];
        sum >= 0.6
    });
    let nucleus = &top[..=reached.unwrap()];
    assert!((20..150).contains(&nucleus.len()));
    assert_drawn_as(
        &softmax(&logits, nucleus, 0.8),
        &logits,
        sampler(0.8, 200, 0.6),
    );
}

/// Codes that are drawn at least once in 2,000 draws.
fn drawn(logits: &[f32], mut sampler: Sampler) -> Vec<i64> {
    let mut rng = stream("drawn");
    let mut codes: Vec<i64> = (0..2000)
        .map(|_| sampler.choose(logits, &mut rng).unwrap())
        .collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

#[test]
fn greedy_takes_the_first_of_the_largest_and_draws_nothing() {
    let mut greedy = Sampler::new(Choice::Greedy);
    let mut rng = stream("greedy");
    assert_eq!(greedy.choose(&[-3.0, 5.0, 2.0, 5.0], &mut rng), Ok(1));
    assert_eq!(greedy.choose(&[-3.0, -5.0], &mut rng), Ok(0));
    greedy.skip(&mut rng);
    assert_eq!(rng.next_u64(), stream("greedy").next_u64());
}

#[test]
fn top_k_1_is_greedy_at_any_temperature() {
    let mut greedy = Sampler::new(Choice::Greedy);
    for seed in ["d", "e", "f"] {
        let logits = logits(seed);
        let best = greedy.choose(&logits, &mut stream("greedy")).unwrap();
        for temperature in [1e-30, 1.0, 1e30] {
            assert_eq!(drawn(&logits, sampler(temperature, 1, 1.0)), [best]);
        }
        // So small a temperature leaves nothing to the others, and so small a top-p.
        assert_eq!(drawn(&logits, sampler(1e-38, 0, 1.0)), [best]);
        assert_eq!(drawn(&logits, sampler(1.0, 0, 1e-6)), [best]);
    }
}

/// As transformers: what equals the last of the top-k stays, and top-p takes the lower of equal codes away first.
#[test]
fn ties_at_the_border() {
    let tied = [1.0, 2.0, 0.0, 1.0, -0.0, 1.0];
    assert_eq!(drawn(&tied, sampler(1.0, 2, 1.0)), [0, 1, 3, 5]);
    assert_eq!(drawn(&tied, sampler(1.0, 4, 1.0)), [0, 1, 3, 5]);
    assert_eq!(drawn(&tied, sampler(1.0, 5, 1.0)), [0, 1, 2, 3, 4, 5]);
    let equal = [0.0, -0.0, 0.0, -0.0];
    assert_eq!(drawn(&equal, sampler(1.0, 0, 0.6)), [1, 2, 3]);
    assert_eq!(drawn(&equal, sampler(1.0, 0, 0.1)), [3]);
}

/// Every choice takes one number of the stream, used or not: what follows does not depend on the logits before.
#[test]
fn a_draw_has_its_place_in_the_stream() {
    let mut sampler = sampler(1.0, 50, 0.9);
    let (mut drawing, mut skipping) = (stream("place"), stream("place"));
    for seed in ["g", "h", "i"] {
        sampler.choose(&logits(seed), &mut drawing).unwrap();
        sampler.skip(&mut skipping);
        assert_eq!(drawing.get_word_pos(), skipping.get_word_pos());
    }
    assert_eq!(drawing.get_word_pos(), 6);
}

/// Computed with another implementation, in Python, from the definitions of the stream and of the draw. A change here
/// gives every piece another sound: never do it.
#[test]
fn the_codes_of_a_stream_are_the_same_for_ever() {
    let mut rng = stream("pinned");
    let mut sampler = sampler(1.0, 50, 1.0);
    let codes: Vec<i64> = (0..8)
        .map(|_| sampler.choose(&logits("pinned"), &mut rng).unwrap())
        .collect();
    assert_eq!(codes, [326, 1330, 1416, 595, 1416, 1819, 1404, 687]);
}

#[test]
fn logits_that_are_not_finite_are_refused() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for choice in [Choice::Greedy, Choice::sample(1.0, 2, 0.9).unwrap()] {
            for at in 0..3 {
                let mut logits = [0.0, 1.0, 2.0];
                logits[at] = bad;
                let chosen = Sampler::new(choice).choose(&logits, &mut stream("bad"));
                assert_eq!(chosen, Err(NotFinite));
            }
        }
    }
    let nothing = Sampler::new(Choice::Greedy).choose(&[], &mut stream("bad"));
    assert_eq!(nothing, Err(NotFinite));
}

#[test]
fn values_out_of_range_are_refused_with_the_way_out() {
    for bad in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let error = Choice::sample(bad, 50, 1.0).unwrap_err().to_string();
        assert!(error.contains("use --greedy"), "{error}");
    }
    for bad in [0.0, -0.5, 1.01, f32::NAN] {
        assert_eq!(
            Choice::sample(1.0, 50, bad).unwrap_err().to_string(),
            format!("top-p is {bad}, and it must be above 0 and at most 1 (1 keeps every code)")
        );
    }
    let large = Choice::sample(1.0, 2049, 1.0).unwrap();
    assert_eq!(
        large.check_vocab(2048).unwrap_err().to_string(),
        "top-k is 2049 codes, and a codebook has 2048; name at most 2048, or 0 for all of them"
    );
    assert_eq!(large.check_vocab(2049), Ok(()));
    assert_eq!(Choice::Greedy.check_vocab(1), Ok(()));
}

#[test]
fn guidance_goes_away_from_the_unconditional_logits() {
    let mut out = vec![9.0; 7];
    guide(&[1.0, -2.0], &[0.5, 1.0], 3.0, &mut out);
    assert_eq!(out, [2.0, -8.0]);
    guide(&[1.0, -2.0], &[0.5, 1.0], 1.0, &mut out);
    assert_eq!(out, [1.0, -2.0]);
}

#[test]
fn keys_have_the_order_of_the_floats() {
    let rising = [f32::MIN, -1.0, -1e-40, -0.0, 0.0, 1e-40, 1.0, f32::MAX];
    for pair in rising.windows(2) {
        assert!(key(pair[0]) < key(pair[1]));
    }
    for x in rising {
        assert_eq!(value(key(x)).to_bits(), x.to_bits());
    }
}

/// A step of 8 pieces with 4 codebooks; the model takes some 100 ms for it. Generous, for machines with other work.
#[test]
fn a_step_of_eight_pieces_takes_no_time_to_speak_of() {
    let rows: Vec<Vec<f32>> = (0..32).map(|i| logits(&i.to_string())).collect();
    let mut sampler = sampler(1.0, 50, 1.0);
    let mut rng = stream("speed");
    let fastest = (0..20)
        .map(|_| {
            let begin = std::time::Instant::now();
            for row in &rows {
                sampler.choose(row, &mut rng).unwrap();
            }
            begin.elapsed()
        })
        .min();
    println!("{fastest:?} a step");
    assert!(fastest.unwrap().as_millis() < 2);
}
