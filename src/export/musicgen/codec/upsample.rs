//! A transposed convolution whose kernel is twice its stride, at two thirds of its arithmetic.
//!
//! Frame t of the input and the one before make `stride` rows of the output: `y[t] = early x[t-1] + late x[t]`, a filter of
//! two taps whose coefficients are matrices. Three outputs of it need four products instead of six by Winograd's minimal
//! filtering F(3, 2) (Winograd, Arithmetic Complexity of Computations, 1980; Lavin and Gray, arXiv 1509.09308), with
//! d0..d3 = x[t-1]..x[t+2]:
//!
//! ```text
//! m1 = early (d0 - d2)    m2 = (early + late)/2 (d1 + d2)    m3 = (early - late)/2 (d2 - d1)    m4 = late (d1 - d3)
//! y[t] = m1 + m2 + m3     y[t+1] = m2 - m3                   y[t+2] = m2 + m3 - m4
//! ```

use super::super::super::ExportError;
use super::super::MusicgenTower;
use super::signal::Signal;

/// Outputs of one group.
const GROUP: i64 = 3;

/// The ELU of `input` through the transposed convolution `name` with this stride. The output has rows for every frame, some
/// beyond the signal: trimming is left to what reads it.
pub(super) fn upsample(
    tower: &mut MusicgenTower,
    input: &Signal,
    name: &str,
    stride: usize,
) -> Result<Signal, ExportError> {
    let taps = Taps::read(tower, name, stride)?;
    let bias = tower.values(&format!("{name}.bias"))?.repeat(stride);
    let graph = &mut *tower.graph;
    let x = graph.elu(&input.x);
    let silence = vec![0.0; input.channels];
    let silence = graph.tensor(&format!("{name}.silence"), &[1, input.channels], &silence)?;
    let x = graph.concat(&[&x, &silence], 0);

    // One frame more than there are, as the last one sounds on.
    let groups = graph.plus(&input.rows, GROUP)?;
    let three = graph.whole(GROUP)?;
    let groups = graph.div(&groups, &three);
    let before_first = graph.whole(-1)?;
    let end = graph.mul(&groups, &three);
    let end = graph.plus(&end, -1)?;
    let positions = graph.range(&before_first, &end, &three);
    let steps = graph.int64(&[4, 1], &[0, 1, 2, 3])?;
    let positions = graph.add(&positions, &steps);
    let positions = input.or_behind(graph, &positions)?;
    let mut d = Vec::with_capacity(4);
    for step in 0..4 {
        let step = graph.whole(step)?;
        let rows = graph.gather(&positions, &step, 0);
        d.push(graph.gather(&x, &rows, 0));
    }

    let inputs = [
        graph.sub(&d[0], &d[2]),
        graph.add(&d[1], &d[2]),
        graph.sub(&d[2], &d[1]),
        graph.sub(&d[1], &d[3]),
    ];
    let shape = [taps.rows, input.channels];
    let mut product = |part: &str, input: &_, matrix: Vec<f32>, bias: Option<&_>| {
        let matrix = graph.tensor(&format!("{name}.{part}"), &shape, &matrix)?;
        Ok::<_, ExportError>(graph.linear(input, &matrix, bias))
    };
    let m1 = product("early", &inputs[0], taps.combine(1.0, 0.0), None)?;
    let m3 = product("difference", &inputs[2], taps.combine(0.5, -0.5), None)?;
    let m4 = product("late", &inputs[3], taps.combine(0.0, 1.0), None)?;
    let bias = graph.tensor(&format!("{name}.bias"), &[taps.rows], &bias)?;
    let sum = graph.tensor(&format!("{name}.sum"), &shape, &taps.combine(0.5, 0.5))?;
    let m2 = graph.linear(&inputs[1], &sum, Some(&bias));

    let both = graph.add(&m2, &m3);
    let y = [
        graph.add(&m1, &both),
        graph.sub(&m2, &m3),
        graph.sub(&both, &m4),
    ];
    let y = graph.concat(&[&y[0], &y[1], &y[2]], 1);
    let channels = taps.rows / stride;
    let y = graph.reshape(&y, &[-1, channels as i64])?;
    let stride = stride as i64;
    let start = graph.times(&input.start, stride)?;
    Ok(Signal {
        x: y,
        channels,
        rows: graph.times(&groups, GROUP * stride)?,
        // As many elements too many as the stride; the left gets the odd one.
        start: graph.plus(&start, stride / 2 - stride)?,
        total: graph.times(&input.total, stride)?,
    })
}

/// The two taps, each `[stride * out, in]` row-major.
struct Taps {
    early: Vec<f32>,
    late: Vec<f32>,
    rows: usize,
}

impl Taps {
    /// From a weight `[in, out, 2 * stride]`, of which the first half meets the newer frame.
    fn read(tower: &MusicgenTower, name: &str, stride: usize) -> Result<Self, ExportError> {
        let weight = tower.weights.get(&format!("{name}.weight"))?;
        let (inputs, outputs) = (weight.shape[0], weight.shape[1]);
        let tap = |offset: usize| {
            let mut tap = Vec::with_capacity(stride * outputs * inputs);
            for phase in 0..stride {
                for out in 0..outputs {
                    let at = |input| (input * outputs + out) * 2 * stride + offset + phase;
                    tap.extend((0..inputs).map(|input| weight.data[at(input)]));
                }
            }
            tap
        };
        Ok(Self {
            early: tap(stride),
            late: tap(0),
            rows: stride * outputs,
        })
    }

    /// `a * early + b * late`.
    fn combine(&self, a: f32, b: f32) -> Vec<f32> {
        let taps = self.early.iter().zip(&self.late);
        taps.map(|(early, late)| a * early + b * late).collect()
    }
}
