//! The signs of pieces on a map: a shape for each arm, told apart in grey too.

/// The outline of a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Circle,
    Triangle,
    Square,
    Diamond,
    Down,
    Plus,
    Cross,
    Hexagon,
}

impl Shape {
    const ALL: [Self; 8] = [
        Self::Circle,
        Self::Triangle,
        Self::Square,
        Self::Diamond,
        Self::Down,
        Self::Plus,
        Self::Cross,
        Self::Hexagon,
    ];

    /// Of the arm in place `i`, from 0.
    pub fn nth(i: usize) -> Self {
        Self::ALL[i % Self::ALL.len()]
    }

    /// The corners around `centre`; `None` for a circle. The area is about that of a circle of `radius`.
    pub fn corners(self, (x, y): (f64, f64), radius: f64) -> Option<Vec<(f64, f64)>> {
        // Corners of the regular shape, its first one so many degrees clockwise from the top.
        let regular = |corners: u32, first: f64, scale: f64| {
            let turn = |i: u32| (first + 360.0 / f64::from(corners) * f64::from(i)).to_radians();
            let corner = |i| {
                let (sine, cosine) = turn(i).sin_cos();
                (x + scale * radius * sine, y - scale * radius * cosine)
            };
            (0..corners).map(corner).collect()
        };
        // Twelve corners, turned by so many degrees.
        let plus = |turn: f64| {
            const ARM: f64 = 1.2;
            const HALF: f64 = 0.36;
            let (sine, cosine) = turn.to_radians().sin_cos();
            let quarter = [(-HALF, -ARM), (HALF, -ARM), (HALF, -HALF)];
            let corner = |i: usize| {
                let (mut u, mut v) = quarter[i % 3];
                for _ in 0..i / 3 {
                    (u, v) = (-v, u);
                }
                let (u, v) = (u * cosine - v * sine, u * sine + v * cosine);
                (x + radius * u, y + radius * v)
            };
            (0..12).map(corner).collect()
        };
        match self {
            Self::Circle => None,
            Self::Triangle => Some(regular(3, 0.0, 1.45)),
            Self::Down => Some(regular(3, 180.0, 1.45)),
            Self::Square => Some(regular(4, 45.0, 1.25)),
            Self::Diamond => Some(regular(4, 0.0, 1.35)),
            Self::Hexagon => Some(regular(6, 0.0, 1.15)),
            Self::Plus => Some(plus(0.0)),
            Self::Cross => Some(plus(45.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_lies_around_its_centre() {
        for i in 0..8 {
            let Some(corners) = Shape::nth(i).corners((10.0, 20.0), 2.0) else {
                continue;
            };
            let middle = |value: fn(&(f64, f64)) -> f64| {
                corners.iter().map(value).sum::<f64>() / corners.len() as f64
            };
            assert!((middle(|c| c.0) - 10.0).abs() < 1e-9, "{corners:?}");
            assert!((middle(|c| c.1) - 20.0).abs() < 1e-9, "{corners:?}");
        }
        assert_eq!(Shape::nth(0), Shape::nth(8));
    }
}
