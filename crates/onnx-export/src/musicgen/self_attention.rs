//! The decoder's attention to what it said before, on a cache that the caller owns.

use std::io;

use checkpoint::musicgen::DecoderConfig;
use onnx_graph::{Axis, Cache, Element, GraphBuilder, MASKED, Value};

use super::super::{CacheForm, ExportError};
use super::{CacheScales, MusicgenTower, Plan, names};

/// How every layer attends to its cache.
///
/// By layer there are the inputs `past_key.N`, `past_value.N` `[rows, heads, capacity, head_dim]`, of which the first
/// `position` places are filled, and, by the form of the cache, the outputs `present_key.N`, `present_value.N` of the same
/// shape, to be bound to the same memory, or `new_key.N`, `new_value.N` `[rows, heads, 1, head_dim]`.
pub(super) struct CachedAttention<'p> {
    decoder: DecoderConfig,
    element: Element,
    scales: Option<&'p CacheScales>,
    kind: Kind,
}

enum Kind {
    /// One operator, with the further inputs `lengths` `[rows]` i32, the filled places of each row, and `total` i32, a
    /// scalar, which is one more. A graph that chooses the codes makes `lengths` from the position.
    Fused {
        lengths: Value,
        total: Value,
    },
    Parts(Parts),
}

/// From standard operators.
struct Parts {
    form: CacheForm,
    /// `[1]` i64.
    position: Value,
    /// A further input `[1, 1, 1, capacity]` f32: 0 for places before `position`, and for the others a score out of the
    /// softmax. Their content is multiplied by zero, so it has to be finite. A graph that chooses the codes makes it from the
    /// position and the input `places` `[capacity]` i64, which counts from 0.
    filled: Value,
}

impl<'p> CachedAttention<'p> {
    /// `position` `[1]` i64 is that of the new step, `row_pieces` `[rows]` i64 has one number for each row.
    pub fn new(
        tower: &mut MusicgenTower,
        plan: &Plan<'p>,
        position: &Value,
        row_pieces: &Value,
    ) -> Result<Self, ExportError> {
        let graph = &mut *tower.graph;
        let kind = match plan.fuse_cached_attention {
            true => Kind::Fused {
                lengths: match plan.choose_codes {
                    true => lengths_at(graph, position, row_pieces)?,
                    false => graph.input("lengths", Element::Int32, &[Axis::Named("rows")]),
                },
                total: graph.input("total", Element::Int32, &[]),
            },
            false => Kind::Parts(Parts {
                form: plan.cache,
                position: position.clone(),
                filled: match plan.choose_codes {
                    true => filled_at(graph, position)?,
                    false => {
                        let one = Axis::Fixed(1);
                        let axes = [one, one, one, Axis::Named("capacity")];
                        graph.input("filled", Element::Float, &axes)
                    }
                },
            }),
        };
        Ok(Self {
            decoder: tower.weights.config().decoder.clone(),
            element: plan.cache_element,
            scales: plan.cache_scales,
            kind,
        })
    }

    /// The context `[rows, hidden]` of packed queries, keys and values `[rows, 3 * hidden]`.
    pub fn attend(
        &self,
        tower: &mut MusicgenTower,
        layer: usize,
        qkv: &Value,
    ) -> Result<Value, ExportError> {
        let decoder = &self.decoder;
        let axes = [
            Axis::Named("rows"),
            Axis::Fixed(decoder.heads),
            Axis::Named("capacity"),
            Axis::Fixed(decoder.head_dim()),
        ];
        let past = names::past(layer).map(|name| tower.graph.input(&name, self.element, &axes));
        match &self.kind {
            Kind::Fused { lengths, total } => {
                let cache = Cache {
                    past,
                    present: names::present(layer),
                    axes: &axes,
                    element: self.element,
                    scales: self.scales(tower, layer)?,
                };
                self.fused(tower, qkv, &cache, lengths, total)
            }
            Kind::Parts(parts) => self.by_parts(tower, layer, qkv, past, parts),
        }
    }

    fn fused(
        &self,
        tower: &mut MusicgenTower,
        qkv: &Value,
        cache: &Cache,
        lengths: &Value,
        total: &Value,
    ) -> Result<Value, ExportError> {
        let hidden = self.decoder.hidden as i64;
        let graph = &mut *tower.graph;
        let halves = matches!(self.element, Element::Float16 | Element::Bfloat16);
        let mut qkv = graph.reshape(qkv, &[-1, 1, 3 * hidden])?;
        if halves {
            qkv = graph.cast(&qkv, self.element);
        }
        let mut context = graph.cached_attention(&qkv, self.decoder.heads, cache, lengths, total);
        if halves {
            context = graph.cast(&context, Element::Float);
        }
        Ok(graph.reshape(&context, &[-1, hidden])?)
    }

    fn scales(
        &self,
        tower: &mut MusicgenTower,
        layer: usize,
    ) -> Result<Option<[Value; 2]>, ExportError> {
        let Some(of_layer) = self.scales.and_then(|scales| scales.layers.get(layer)) else {
            return Ok(None);
        };
        let shape = [1, self.decoder.heads, 1, self.decoder.head_dim()];
        let [keys, values] = of_layer;
        Ok(Some([
            tower
                .graph
                .tensor(&format!("key_scale.{layer}"), &shape, keys)?,
            tower
                .graph
                .tensor(&format!("value_scale.{layer}"), &shape, values)?,
        ]))
    }

    /// Scores of the filled places and of the new one side by side, one softmax over both.
    fn by_parts(
        &self,
        tower: &mut MusicgenTower,
        layer: usize,
        qkv: &Value,
        past: [Value; 2],
        Parts {
            form,
            position,
            filled,
        }: &Parts,
    ) -> Result<Value, ExportError> {
        let (heads, head_dim) = (self.decoder.heads as i64, self.decoder.head_dim());
        let hidden = self.decoder.hidden as i64;
        let graph = &mut *tower.graph;
        let by_head = [-1, heads, 1, head_dim as i64];
        let shape = graph.int64(&[4], &by_head)?;
        let mut parts = Vec::with_capacity(3);
        for part in 0..3 {
            parts.push(graph.slice(qkv, 1, part * hidden, (part + 1) * hidden)?);
        }
        let query = graph.reshape_to(&parts[0], &shape);
        let scale = graph.scalar((head_dim as f32).sqrt().recip());
        let query = graph.mul(&query, &scale);
        let axes_of = |places| {
            [
                Axis::Named("rows"),
                Axis::Fixed(self.decoder.heads),
                places,
                Axis::Fixed(head_dim),
            ]
        };
        let new = match form {
            CacheForm::Shared => {
                let axes = axes_of(Axis::Named("capacity"));
                let new = [1, 2].map(|part| graph.reshape_to(&parts[part], &shape));
                for ((past, new), name) in past.iter().zip(&new).zip(names::present(layer)) {
                    let shape = graph.shape_of(new, 0, 4);
                    let place = graph.expand(position, &shape);
                    graph.scatter_to_output(past, &place, new, 2, (&name, self.element, &axes));
                }
                new
            }
            CacheForm::Appended => {
                let axes = axes_of(Axis::Fixed(1));
                let [key, value] = names::new(layer);
                [(1, key), (2, value)].map(|(part, name)| {
                    let output = (name.as_str(), self.element, axes.as_slice());
                    graph.reshape_to_output(&parts[part], &shape, output)
                })
            }
        };
        let [past_key, past_value] = past;
        let [new_key, new_value] = &new;
        let keys = graph.transpose(&past_key, &[0, 1, 3, 2]);
        let scores = graph.matmul(&query, &keys);
        let scores = graph.add(&scores, filled);
        let own = graph.mul(&query, new_key);
        let own = graph.sum(&own, -1, true)?;
        let scores = graph.concat(&[&scores, &own], -1);
        let weights = graph.softmax(&scores);
        let of_past = graph.slice(&weights, -1, 0, -1)?;
        let of_new = graph.slice(&weights, -1, -1, i64::MAX)?;
        let context = graph.matmul(&of_past, &past_value);
        let own = graph.mul(&of_new, new_value);
        let context = graph.add(&context, &own);
        Ok(graph.reshape(&context, &[-1, hidden])?)
    }
}

/// The filled places of each row `[rows]` i32.
fn lengths_at(graph: &mut GraphBuilder, position: &Value, row_pieces: &Value) -> io::Result<Value> {
    let nothing = graph.times(row_pieces, 0)?;
    let lengths = graph.add(&nothing, position);
    Ok(graph.cast(&lengths, Element::Int32))
}

/// What [`Parts::filled`] is, from the input `places` `[capacity]` i64.
fn filled_at(graph: &mut GraphBuilder, position: &Value) -> io::Result<Value> {
    let axes = [Axis::Named("capacity")];
    let places = graph.input(names::PLACES, Element::Int64, &axes);
    let filled = graph.less(&places, position);
    let [zero, masked] = [graph.scalar(0.0), graph.scalar(MASKED)];
    let filled = graph.select(&filled, &zero, &masked);
    graph.reshape(&filled, &[1, 1, 1, -1])
}
