//! Attention: ONNX Runtime's fused operators where the reader takes them, else the same from standard ones.

use std::io;

use super::CONTRIB_DOMAIN;
use super::graph::Attribute::{self, Float, Int, Text};
use super::graph::{Axis, Element, GraphBuilder, Operators, Value};

/// A score out of the softmax, where masks become a bias: far below any other, and finite in bf16 too.
pub const MASKED: f32 = -1e9;

/// How scores are scaled before the softmax.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// By `1 / sqrt(head_dim)`.
    HeadDim(usize),
    /// Not at all, as in T5.
    None,
}

/// Where keys and values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyLayout {
    /// `[batch, k, hidden]`.
    Tokens,
    /// `[batch, heads, k, head_dim]`.
    Heads,
}

/// Keys and values of one layer of a decoder, kept by the caller.
pub struct Cache<'a> {
    pub past: [Value; 2],
    /// Names of the outputs that take the grown cache.
    pub present: [String; 2],
    pub axes: &'a [Axis],
    pub element: Element,
    /// Scales of a cache in int8, of keys and of values, `[1, heads, 1, head_dim]` f32 each.
    pub scales: Option<[Value; 2]>,
}

impl GraphBuilder<'_> {
    /// Multi-head attention: queries `[batch, q, hidden]` over keys and values of `layout`; `key_mask` `[batch, k]` i32 (0 is
    /// masked) and `bias` `[batch or 1, heads or 1, q, k]` added to the scaled scores; both may be [`Value::none`]. Returns
    /// `[batch, q, hidden]`.
    pub fn multi_head_attention(
        &mut self,
        [query, key, value]: [&Value; 3],
        layout: KeyLayout,
        heads: usize,
        scale: Scale,
        key_mask: &Value,
        bias: &Value,
    ) -> io::Result<Value> {
        if self.operators() == Operators::Standard {
            return self.attention_from_parts(
                [query, key, value],
                layout,
                heads,
                scale,
                key_mask,
                bias,
            );
        }
        let mut attributes = vec![("num_heads", Int(heads as i64))];
        if scale == Scale::None {
            attributes.push(("scale", Float(1.0)));
        }
        Ok(self.node(
            CONTRIB_DOMAIN,
            "MultiHeadAttention",
            &[query, key, value, &Value::none(), key_mask, bias],
            attributes,
        ))
    }

    fn attention_from_parts(
        &mut self,
        [query, key, value]: [&Value; 3],
        layout: KeyLayout,
        heads: usize,
        scale: Scale,
        key_mask: &Value,
        bias: &Value,
    ) -> io::Result<Value> {
        let mut query = self.by_head(query, heads, &[0, 2, 1, 3])?;
        if let Scale::HeadDim(head_dim) = scale {
            let scale = self.scalar((head_dim as f32).sqrt().recip());
            query = self.mul(&query, &scale);
        }
        let (key, value) = match layout {
            KeyLayout::Tokens => (
                self.by_head(key, heads, &[0, 2, 3, 1])?,
                self.by_head(value, heads, &[0, 2, 1, 3])?,
            ),
            KeyLayout::Heads => (self.transpose(key, &[0, 1, 3, 2]), value.clone()),
        };
        let mut scores = self.matmul(&query, &key);
        if *bias != Value::none() {
            scores = self.add(&scores, bias);
        }
        if *key_mask != Value::none() {
            let bias = self.bias_of_mask(key_mask)?;
            scores = self.add(&scores, &bias);
        }
        let weights = self.softmax(&scores);
        let context = self.matmul(&weights, &value);
        self.from_heads(&context)
    }

    /// `[batch, tokens, hidden]` to `[batch, tokens, heads, head_dim]` in the order of `axes`.
    pub fn by_head(&mut self, x: &Value, heads: usize, axes: &[usize]) -> io::Result<Value> {
        let split = self.reshape(x, &[0, 0, heads as i64, -1])?;
        Ok(self.transpose(&split, axes))
    }

    /// `[batch, heads, tokens, head_dim]` to `[batch, tokens, hidden]`.
    pub fn from_heads(&mut self, x: &Value) -> io::Result<Value> {
        let tokens = self.transpose(x, &[0, 2, 1, 3]);
        self.reshape(&tokens, &[0, 0, -1])
    }

    /// `[batch, k]` i32 to `[batch, 1, 1, k]` f32, made once.
    fn bias_of_mask(&mut self, mask: &Value) -> io::Result<Value> {
        if let Some(made) = self.mask_biases.get(mask) {
            return Ok(made.clone());
        }
        let is_key = self.cast(mask, Element::Bool);
        let [zero, masked] = [self.scalar(0.0), self.scalar(MASKED)];
        let bias = self.select(&is_key, &zero, &masked);
        let shape = self.int64(&[4], &[0, 1, 1, -1])?;
        let bias = self.reshape_to(&bias, &shape);
        self.mask_biases.insert(mask.clone(), bias.clone());
        Ok(bias)
    }

    /// Causal attention of one new position a row on a cache that the caller owns: packed queries, keys and values
    /// `[rows, 1, 3 * hidden]`, `cache.past` keys and values `[rows, heads, capacity, head_dim]` of which the first
    /// `lengths` `[rows]` i32 are filled, and `total` i32, a scalar: the filled ones with the new one. The new keys and
    /// values are written behind the filled ones into the graph's outputs `cache.present`, which are best bound to the
    /// same buffers as the past: then nothing is copied. Returns `[rows, 1, hidden]`.
    pub fn cached_attention(
        &mut self,
        qkv: &Value,
        heads: usize,
        cache: &Cache,
        lengths: &Value,
        total: &Value,
    ) -> Value {
        let none = Value::none();
        let [key, value] = &cache.past;
        let [present_key, present_value] = &cache.present;
        let mut inputs = vec![qkv, &none, &none, key, value, lengths, total];
        let mut attributes: Vec<(&str, Attribute)> = vec![
            ("num_heads", Int(heads as i64)),
            ("kv_num_heads", Int(heads as i64)),
        ];
        if let Some([key_scale, value_scale]) = &cache.scales {
            // cos_cache, sin_cache, position_ids, attention_bias and head_sink are not there.
            inputs.extend([&none; 5]);
            inputs.extend([key_scale, value_scale]);
            attributes.extend([
                ("k_quant_type", Text("PER_CHANNEL")),
                ("v_quant_type", Text("PER_CHANNEL")),
                ("kv_cache_bit_width", Int(8)),
            ]);
        }
        self.node_with_outputs(
            CONTRIB_DOMAIN,
            "GroupQueryAttention",
            &inputs,
            &[
                (present_key, cache.element, cache.axes),
                (present_value, cache.element, cache.axes),
            ],
            attributes,
        )
    }
}
