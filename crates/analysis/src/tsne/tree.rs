//! Repulsion by Barnes and Hut: cells of points that are small for their distance push as one point at their centre.
//!
//! J. Barnes and P. Hut, A hierarchical O(N log N) force-calculation algorithm (1986), with cells in the order of a Z curve
//! (G. Morton 1966). A cell is taken whole when its side is under 0.5 of its distance, as in scikit-learn (`angle`). Cells of
//! up to eight points are not cut further; their points push one by one.

use rayon::prelude::*;

const ANGLE: f64 = 0.5;
/// What the other points do to one of them.
#[derive(Clone, Copy, Default)]
pub(super) struct Push {
    pub attraction: [f64; 2],
    pub repulsion: [f64; 2],
    /// The point's part of Z.
    pub weight: f64,
}

/// Most points of a cell that is not cut, and most cuts: equal points cannot be told apart.
const LEAF: usize = 8;
const DEEPEST: u32 = 31;
/// Points that one thread takes at a time: neighbours on the curve read the same cells.
const BLOCK: usize = 64;

/// One cell, before its children, which end where `skip` says.
struct Cell {
    centre: [f64; 2],
    mass: f64,
    /// Beyond this squared distance it is taken whole.
    far: f64,
    /// Its points, as places on the curve.
    points: std::ops::Range<u32>,
    /// The cell after its last child.
    skip: u32,
    leaf: bool,
}

pub(super) struct Tree {
    cells: Vec<Cell>,
    /// The points along the curve, and which each is.
    points: Vec<[f64; 2]>,
    order: Vec<u32>,
}

impl Tree {
    pub fn build(points: &[[f64; 2]]) -> Self {
        let (low, side) = square(points);
        let scale = f64::from(1_u32 << DEEPEST) / side;
        let place = |value: f64, low: f64| {
            // Conversion saturates, and the last place is still in the square.
            (((value - low) * scale) as u32).min((1 << DEEPEST) - 1)
        };
        let keys = points
            .iter()
            .map(|p| spread(place(p[0], low[0])) | spread(place(p[1], low[1])) << 1);
        let mut keys: Vec<(u64, u32)> = keys.zip(0..).collect();
        keys.sort_unstable();
        let order: Vec<u32> = keys.iter().map(|key| key.1).collect();
        let mut tree = Self {
            cells: Vec::with_capacity(points.len()),
            points: order.iter().map(|&i| points[i as usize]).collect(),
            order,
        };
        tree.grow(&keys, 0..keys.len(), 0, side);
        tree
    }

    /// Add the cell of the points `range`, which share the first `depth` pairs of bits, and those in it.
    fn grow(&mut self, keys: &[(u64, u32)], range: std::ops::Range<usize>, depth: u32, side: f64) {
        let points = &self.points[range.clone()];
        let mass = points.len() as f64;
        let sum = points
            .iter()
            .fold([0.0; 2], |sum, p| [sum[0] + p[0], sum[1] + p[1]]);
        let leaf = points.len() <= LEAF || depth == DEEPEST;
        let cell = self.cells.len();
        self.cells.push(Cell {
            centre: sum.map(|sum| sum / mass),
            mass,
            far: (side / ANGLE).powi(2),
            points: range.start as u32..range.end as u32,
            skip: 0,
            leaf,
        });
        if !leaf {
            let quarter = |key: u64| key >> (2 * (DEEPEST - 1 - depth)) & 3;
            let mut start = range.start;
            for part in keys[range].chunk_by(|x, y| quarter(x.0) == quarter(y.0)) {
                self.grow(keys, start..start + part.len(), depth + 1, side / 2.0);
                start += part.len();
            }
        }
        self.cells[cell].skip = self.cells.len() as u32;
    }

    /// Repulsion and weight of every point.
    pub fn pushes(&self) -> Vec<Push> {
        let along: Vec<Push> = (0..self.points.len())
            .into_par_iter()
            .with_min_len(BLOCK)
            .map(|place| self.push_on(place))
            .collect();
        let mut pushes = vec![Push::default(); along.len()];
        for (push, &i) in along.into_iter().zip(&self.order) {
            pushes[i as usize] = push;
        }
        pushes
    }

    fn push_on(&self, place: usize) -> Push {
        let point = self.points[place];
        let mut push = Push::default();
        let mut add = |mass: f64, dx: f64, dy: f64| {
            let weight = 1.0 / (1.0 + (dx * dx + dy * dy));
            push.weight += mass * weight;
            push.repulsion[0] += mass * weight * weight * dx;
            push.repulsion[1] += mass * weight * weight * dy;
        };
        let mut next = 0;
        while let Some(cell) = self.cells.get(next) {
            let (dx, dy) = (point[0] - cell.centre[0], point[1] - cell.centre[1]);
            if dx * dx + dy * dy > cell.far {
                add(cell.mass, dx, dy);
                next = cell.skip as usize;
            } else if cell.leaf {
                let places = cell.points.start as usize..cell.points.end as usize;
                for other in places.filter(|&other| other != place) {
                    let other = self.points[other];
                    add(1.0, point[0] - other[0], point[1] - other[1]);
                }
                next = cell.skip as usize;
            } else {
                next += 1;
            }
        }
        push
    }
}

/// The lower corner and the side of a square about the points; a side of 1 when all are equal.
fn square(points: &[[f64; 2]]) -> ([f64; 2], f64) {
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for point in points {
        for axis in 0..2 {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
    }
    let side = (high[0] - low[0]).max(high[1] - low[1]);
    (low, if side > 0.0 { side } else { 1.0 })
}

/// Every bit of `value` moved to twice its place.
fn spread(value: u32) -> u64 {
    let mut bits = u64::from(value);
    for (shift, mask) in [
        (16, 0x0000_FFFF_0000_FFFF),
        (8, 0x00FF_00FF_00FF_00FF),
        (4, 0x0F0F_0F0F_0F0F_0F0F),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::tests::same_on_any_threads;
    use crate::streams::{normal, stream};
    use crate::tsne::forces::repulsion;

    fn points(n: usize) -> Vec<[f64; 2]> {
        let mut draws = stream(1, "tree");
        let mut value = || 20.0 * normal(&mut draws);
        (0..n).map(|_| [value(), value()]).collect()
    }

    #[test]
    fn near_what_all_pairs_push() {
        let points = points(1500);
        let (tree, pairs) = (Tree::build(&points).pushes(), repulsion(&points));
        let (mut off, mut whole) = (0.0, 0.0);
        for (a, b) in tree.iter().zip(&pairs) {
            assert!((a.weight - b.weight).abs() < 0.02 * b.weight);
            for axis in 0..2 {
                off += (a.repulsion[axis] - b.repulsion[axis]).powi(2);
                whole += b.repulsion[axis].powi(2);
            }
        }
        let off = (off / whole).sqrt();
        assert!(off < 0.02, "{off}");
    }

    #[test]
    fn equal_points_end_in_one_cell() {
        let mut points = points(50);
        points.extend([points[3]; 40]);
        let (tree, pairs) = (Tree::build(&points).pushes(), repulsion(&points));
        for (a, b) in tree.iter().zip(&pairs) {
            assert!((a.weight - b.weight).abs() < 0.05 * b.weight);
        }
        let equal = Tree::build(&[[0.25; 2]; 30]).pushes();
        assert!(
            equal
                .iter()
                .all(|p| (p.repulsion, p.weight) == ([0.0; 2], 29.0))
        );
    }

    #[test]
    fn the_same_on_any_threads() {
        let points = points(700);
        same_on_any_threads(|| {
            let pushes = Tree::build(&points).pushes();
            pushes
                .iter()
                .map(|p| (p.repulsion, p.weight))
                .collect::<Vec<_>>()
        });
    }

    #[test]
    fn bits_are_spread() {
        assert_eq!(spread(0b1011), 0b100_0101);
        assert_eq!(spread(u32::MAX), 0x5555_5555_5555_5555);
    }
}
