//! The tree → a typed struct, by way of serde; an error says where and what was expected.

use std::fmt::Display;

use foreign::words;
use foreign::{Foreign, Words};
use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::place::Place;
use super::tree::{Entry, Node, Value};

/// What is wrong, and with which value.
#[derive(Debug)]
pub(super) struct Fault {
    /// None until the container of the value has said where it stands.
    pub place: Option<Place>,
    /// Dotted path from the root; empty for the root.
    pub path: String,
    pub kind: FaultKind,
}

#[derive(Debug)]
pub(super) enum FaultKind {
    UnknownKey {
        key: String,
        valid: &'static [&'static str],
    },
    UnknownValue {
        value: String,
        valid: &'static [&'static str],
    },
    MissingKey(&'static str),
    Wrong {
        expected: Words,
        found: Words,
    },
    Message(Foreign),
}

impl Fault {
    fn new(kind: FaultKind) -> Self {
        Fault {
            place: None,
            path: String::new(),
            kind,
        }
    }

    /// Tell the fault the key or index that it is under.
    fn under(mut self, step: &str, place: &Place) -> Self {
        self.path = match (step, self.path.as_str()) {
            (step, "") => step.to_owned(),
            (step, path) => format!("{step}.{path}"),
        };
        self.at(place)
    }

    fn at(mut self, place: &Place) -> Self {
        self.place.get_or_insert_with(|| place.clone());
        self
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{:?} at '{}'", self.kind, self.path)
    }
}

impl std::error::Error for Fault {}

impl Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Fault::new(FaultKind::Message(Foreign::said(message)))
    }

    fn invalid_type(found: Unexpected, expected: &dyn Expected) -> Self {
        Fault::new(FaultKind::Wrong {
            expected: Foreign::said(expected).into(),
            found: Foreign::said(found).into(),
        })
    }

    fn invalid_value(found: Unexpected, expected: &dyn Expected) -> Self {
        Fault::invalid_type(found, expected)
    }

    fn unknown_variant(value: &str, valid: &'static [&'static str]) -> Self {
        Fault::new(FaultKind::UnknownValue {
            value: value.to_owned(),
            valid,
        })
    }

    fn unknown_field(key: &str, valid: &'static [&'static str]) -> Self {
        Fault::new(FaultKind::UnknownKey {
            key: key.to_owned(),
            valid,
        })
    }

    fn missing_field(key: &'static str) -> Self {
        Fault::new(FaultKind::MissingKey(key))
    }
}

/// Deserialises one node.
#[derive(Clone, Copy)]
pub(super) struct NodeDe<'a>(pub &'a Node);

impl NodeDe<'_> {
    fn wrong(&self, expected: impl Into<Words>) -> Fault {
        let kind = FaultKind::Wrong {
            expected: expected.into(),
            found: self.0.describe(),
        };
        Fault::new(kind).at(&self.0.place)
    }

    fn int<T: TryFrom<i128>>(&self, expected: &'static str) -> Result<T, Fault> {
        match self.0.value {
            Value::Int(v) => T::try_from(v).map_err(|_| self.wrong(expected)),
            _ => Err(self.wrong(expected)),
        }
    }

    fn seq<'de, V: Visitor<'de>>(self, items: &[Node], visitor: V) -> Result<V::Value, Fault> {
        visitor
            .visit_seq(Items {
                items: items.iter(),
                index: 0,
            })
            .map_err(|e| e.at(&self.0.place))
    }

    fn map<'de, V: Visitor<'de>>(self, entries: &[Entry], visitor: V) -> Result<V::Value, Fault> {
        visitor
            .visit_map(Entries {
                entries: entries.iter(),
                current: None,
            })
            .map_err(|e| e.at(&self.0.place))
    }

    fn text(&self) -> Option<&str> {
        match &self.0.value {
            Value::Text(v) => Some(v),
            Value::Null => None,
            _ => self.0.raw.as_deref(),
        }
    }
}

impl<'de> Deserializer<'de> for NodeDe<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(v) => visitor.visit_bool(*v),
            Value::Int(_) if self.int::<u64>("").is_ok() => self.deserialize_u64(visitor),
            Value::Int(_) => self.deserialize_i64(visitor),
            Value::Float(v) => visitor.visit_f64(*v),
            Value::Text(v) => visitor.visit_str(v),
            Value::List(items) => self.seq(items, visitor),
            Value::Map(entries) => self.map(entries, visitor),
        }
        .map_err(|e: Fault| e.at(&self.0.place))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.value {
            Value::Bool(v) => visitor.visit_bool(v),
            _ => Err(self.wrong("true or false")),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(self.int("a whole number, 0 or more")?)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_i64(self.int("a whole number")?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.value {
            Value::Int(v) => visitor.visit_f64(v as f64),
            Value::Float(v) => visitor.visit_f64(v),
            _ => Err(self.wrong("a number")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.text() {
            Some(v) => visitor.visit_str(v).map_err(|e: Fault| e.at(&self.0.place)),
            None => Err(self.wrong("text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::List(items) => self.seq(items, visitor),
            _ => Err(self.wrong("a list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::Map(entries) => self.map(entries, visitor),
            _ => Err(self.wrong("keys and values")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        valid: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let of_valid = || words!("one of {}", Words::join(valid.iter().copied(), ", "));
        let variant = match (&self.0.value, self.text()) {
            (Value::Map(entries), _) => match entries.as_slice() {
                [entry] => Variant {
                    name: &entry.key,
                    settings: Some(entry),
                },
                _ => return Err(self.wrong(words!("{}, with its settings", of_valid()))),
            },
            (_, Some(name)) => Variant {
                name,
                settings: None,
            },
            (_, None) => return Err(self.wrong(of_valid())),
        };
        visitor.visit_enum(variant).map_err(|e| e.at(&self.0.place))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u128 f32 char bytes byte_buf unit unit_struct newtype_struct tuple tuple_struct
        identifier ignored_any
    }
}

/// One of several: a name, or a name with settings under it. A name alone has the settings that nobody has said.
struct Variant<'a> {
    name: &'a str,
    settings: Option<&'a Entry>,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let name: StrDeserializer<Fault> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.settings {
            None => Ok(()),
            Some(_) => Err(Fault::custom(format!("{} has no settings", self.name))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        let Some(entry) = self.settings else {
            let none: [(&str, &str); 0] = [];
            return seed.deserialize(MapDeserializer::<_, Fault>::new(none.into_iter()));
        };
        seed.deserialize(NodeDe(&entry.node))
            .map_err(|e| e.under(&entry.key, &entry.node.place))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Fault> {
        Err(Fault::custom(format!("{} has no settings", self.name)))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.settings {
            Some(entry) => NodeDe(&entry.node)
                .deserialize_map(visitor)
                .map_err(|e| e.under(&entry.key, &entry.node.place)),
            None => visitor.visit_map(MapDeserializer::<_, Fault>::new(std::iter::empty::<(
                &str,
                &str,
            )>())),
        }
    }
}

struct Items<'a> {
    items: std::slice::Iter<'a, Node>,
    index: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(item) = self.items.next() else {
            return Ok(None);
        };
        let index = self.index.to_string();
        self.index += 1;
        seed.deserialize(NodeDe(item))
            .map(Some)
            .map_err(|e| e.under(&index, &item.place))
    }
}

struct Entries<'a> {
    entries: std::slice::Iter<'a, Entry>,
    current: Option<&'a Entry>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        self.current = self.entries.next();
        let Some(entry) = self.current else {
            return Ok(None);
        };
        let key: StrDeserializer<Fault> = entry.key.as_str().into_deserializer();
        seed.deserialize(key)
            .map(Some)
            .map_err(|e| e.at(&entry.place))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let entry = self
            .current
            .ok_or_else(|| Fault::custom("a value was asked for before its key"))?;
        seed.deserialize(NodeDe(&entry.node))
            .map_err(|e| e.under(&entry.key, &entry.node.place))
    }
}
