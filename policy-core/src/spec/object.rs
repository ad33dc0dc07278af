//! A Job or CronJob as a tree, shaped by the [schema](super::schema).

use super::quantity::Quantity;
use super::schema::{FieldType, Presence, StructType, Type};
use crate::Timestamp;
use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ptr;
use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A value within an object. Texts are borrowed from the manifest where they can be.
#[derive(Clone, Debug)]
pub(crate) enum Node<'a> {
    Bool(bool),
    Int(i64),
    Text(Cow<'a, str>),
    Quantity(Quantity),
    Time(Timestamp),
    /// JSON that is kept as it is.
    Raw(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Map(Map<'a>),
    Struct(Struct<'a>),
}

/// A Go map. Sorted by key: Go's order is random, and nothing may depend on it.
pub(crate) type Map<'a> = BTreeMap<Cow<'a, str>, Node<'a>>;

/// A Go struct's fields that are set.
#[derive(Clone, Debug)]
pub(crate) struct Struct<'a> {
    ty: &'static StructType,
    /// In the order of the type's fields.
    values: Vec<(&'static FieldType, Node<'a>)>,
}

impl<'a> Node<'a> {
    /// The zero value of a type, which is what a null in a list or map reads as.
    pub(crate) fn zero(ty: &Type) -> Self {
        match ty {
            Type::Bool => Node::Bool(false),
            Type::Int32 | Type::Int64 | Type::IntOrString => Node::Int(0),
            Type::Text(_) => Node::Text(Cow::Borrowed("")),
            Type::Quantity => Node::Quantity(Quantity::ZERO),
            Type::Time => Node::Time(Timestamp::ZERO),
            Type::Raw => Node::Raw(Cow::Borrowed("null")),
            Type::List(_) => Node::List(Vec::new()),
            Type::Map(_) => Node::Map(Map::new()),
            Type::Struct(ty) => Node::Struct(Struct::new(ty)),
        }
    }

    /// A text known at compile time.
    pub(crate) fn constant(text: &'static str) -> Self {
        Node::Text(Cow::Borrowed(text))
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Node::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn as_int(&self) -> Option<i64> {
        if let Node::Int(number) = self { Some(*number) } else { None }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        if let Node::Bool(flag) = self { Some(*flag) } else { None }
    }

    pub(crate) fn as_time(&self) -> Option<Timestamp> {
        if let Node::Time(time) = self { Some(*time) } else { None }
    }

    pub(crate) fn as_quantity(&self) -> Option<Quantity> {
        if let Node::Quantity(quantity) = self { Some(*quantity) } else { None }
    }

    pub(crate) fn as_struct(&self) -> Option<&Struct<'a>> {
        if let Node::Struct(fields) = self { Some(fields) } else { None }
    }

    pub(crate) fn as_struct_mut(&mut self) -> Option<&mut Struct<'a>> {
        if let Node::Struct(fields) = self { Some(fields) } else { None }
    }

    /// The items of a list; none for anything else.
    pub(crate) fn items(&self) -> &[Node<'a>] {
        if let Node::List(items) = self { items } else { &[] }
    }

    pub(crate) fn as_map(&self) -> Option<&Map<'a>> {
        if let Node::Map(entries) = self { Some(entries) } else { None }
    }

    /// Whether Go's `omitempty` leaves the value out.
    fn is_empty(&self) -> bool {
        match self {
            Node::Bool(flag) => !flag,
            Node::Int(number) => *number == 0,
            Node::Text(text) => text.is_empty(),
            Node::Time(time) => *time == Timestamp::ZERO,
            Node::Quantity(_) | Node::Raw(_) => false,
            Node::List(items) => items.is_empty(),
            Node::Map(entries) => entries.is_empty(),
            Node::Struct(fields) => fields.written().next().is_none(),
        }
    }

    /// Whether the value is Go's zero value, an empty list or map counting as nil.
    fn is_zero(&self) -> bool {
        match self {
            Node::Quantity(quantity) => quantity.is_zero(),
            Node::Raw(_) => false,
            Node::Struct(fields) => fields
                .values
                .iter()
                .all(|(field, value)| field.presence != Presence::Pointer && value.is_zero()),
            other => other.is_empty(),
        }
    }

    /// Whether a field with this value is Go's zero value, an empty list or map not counting as nil.
    pub(crate) fn is_unset_in(&self, field: &FieldType) -> bool {
        let holder = matches!(self, Node::List(_) | Node::Map(_) | Node::Struct(_));
        field.presence != Presence::Pointer && !holder && self.is_zero()
    }

    /// Semantic equality (`apiequality.Semantic.DeepEqual`): amounts by value, times by instant, nil like empty.
    pub(crate) fn same(&self, other: &Node<'_>) -> bool {
        match (self, other) {
            (Node::Bool(a), Node::Bool(b)) => a == b,
            (Node::Int(a), Node::Int(b)) => a == b,
            (Node::Text(a), Node::Text(b)) | (Node::Raw(a), Node::Raw(b)) => a == b,
            (Node::Quantity(a), Node::Quantity(b)) => a.cmp(b) == Ordering::Equal,
            (Node::Time(a), Node::Time(b)) => a == b,
            (Node::List(a), Node::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Node::Map(a), Node::Map(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|((k, a), (l, b))| k == l && a.same(b))
            }
            (Node::Struct(a), Node::Struct(b)) => a.same(b),
            _ => false,
        }
    }
}

impl<'a> Struct<'a> {
    pub(crate) fn new(ty: &'static StructType) -> Self {
        Struct { ty, values: Vec::new() }
    }

    /// The fields that are set, in the order of the type.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&'static FieldType, &Node<'a>)> {
        self.values.iter().map(|(field, value)| (*field, value))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Node<'a>> {
        self.values.iter().find(|(field, _)| field.is_named(name)).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Node<'a>> {
        self.values.iter_mut().find(|(field, _)| field.is_named(name)).map(|(_, value)| value)
    }

    /// A struct field's own fields, if it is set.
    pub(crate) fn child(&self, name: &str) -> Option<&Struct<'a>> {
        self.get(name)?.as_struct()
    }

    /// A struct field's own fields, to be changed, if it is set.
    pub(crate) fn child_mut(&mut self, name: &str) -> Option<&mut Struct<'a>> {
        self.get_mut(name)?.as_struct_mut()
    }

    /// A field's text; empty when not set.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Node::as_text).unwrap_or_default()
    }

    /// A field's number, if set.
    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_int()
    }

    /// A field's flag, if set.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    /// A field's list items; none when not set.
    pub(crate) fn items(&self, name: &str) -> &[Node<'a>] {
        self.get(name).map_or(&[], Node::items)
    }

    /// The structs in a field's list.
    pub(crate) fn structs(&self, name: &str) -> impl Iterator<Item = &Struct<'a>> {
        self.items(name).iter().filter_map(Node::as_struct)
    }

    /// The structs in a field's list, to be changed.
    pub(crate) fn structs_mut(&mut self, name: &str) -> impl Iterator<Item = &mut Struct<'a>> {
        let items = match self.get_mut(name) {
            Some(Node::List(items)) => items.as_mut_slice(),
            _ => &mut [],
        };
        items.iter_mut().filter_map(Node::as_struct_mut)
    }

    /// A field's map, if set.
    pub(crate) fn map(&self, name: &str) -> Option<&Map<'a>> {
        self.get(name)?.as_map()
    }

    /// A field's map, to be changed, if set.
    pub(crate) fn map_mut(&mut self, name: &str) -> Option<&mut Map<'a>> {
        if let Some(Node::Map(entries)) = self.get_mut(name) { Some(entries) } else { None }
    }

    /// Takes a field's value out, if it is set.
    pub(crate) fn take(&mut self, field: &'static FieldType) -> Option<Node<'a>> {
        let index = self.values.iter().position(|(f, _)| ptr::eq(*f, field))?;
        Some(self.values.remove(index).1)
    }

    /// Takes a field's value out by the field's name.
    pub(crate) fn take_named(&mut self, name: &str) -> Option<Node<'a>> {
        self.ty.field(name).and_then(|field| self.take(field))
    }

    /// Sets a field of the type by its declaration.
    pub(crate) fn put(&mut self, field: &'static FieldType, value: Node<'a>) {
        // The fields of a type lie in one array, so their addresses are in the order of declaration.
        let address = ptr::from_ref(field);
        let index = self.values.partition_point(|(f, _)| ptr::from_ref(*f) < address);
        match self.values.get_mut(index) {
            Some((f, old)) if ptr::eq(*f, field) => *old = value,
            _ => self.values.insert(index, (field, value)),
        }
    }

    /// Sets a field; a name that the type does not have is ignored.
    pub(crate) fn set(&mut self, name: &str, value: Node<'a>) {
        debug_assert!(self.ty.field(name).is_some(), "{} has no field {name}", self.ty.go);
        if let Some(field) = self.ty.field(name) {
            self.put(field, value);
        }
    }

    /// Sets a field to a text.
    pub(crate) fn set_text(&mut self, name: &str, text: impl Into<Cow<'a, str>>) {
        self.set(name, Node::Text(text.into()));
    }

    /// Sets a field that is not set yet.
    pub(crate) fn default_to(&mut self, name: &str, value: Node<'a>) {
        if self.get(name).is_none() {
            self.set(name, value);
        }
    }

    /// Sets a text that is empty or not set yet.
    pub(crate) fn default_text(&mut self, name: &str, text: &'static str) {
        if self.text(name).is_empty() {
            self.set(name, Node::constant(text));
        }
    }

    /// Clears a field.
    pub(crate) fn remove(&mut self, name: &str) {
        self.values.retain(|(field, _)| !field.is_named(name));
    }

    /// A plain struct field's own fields, which always exist in Go.
    pub(crate) fn child_or_new(&mut self, name: &str) -> Option<&mut Struct<'a>> {
        if self.get(name).is_none()
            && let Some(field) = self.ty.field(name)
        {
            self.put(field, Node::zero(&field.ty));
        }
        self.child_mut(name)
    }

    /// Semantic equality of all fields.
    pub(crate) fn same(&self, other: &Struct<'_>) -> bool {
        self.ty.fields.iter().all(|field| same_field(field, self.get(field.name), other.get(field.name)))
    }

    /// Semantic equality of one field.
    pub(crate) fn same_at(&self, other: &Struct<'_>, name: &str) -> bool {
        self.ty.field(name).is_none_or(|field| same_field(field, self.get(name), other.get(name)))
    }

    /// The fields that are written, with the zero of those that always are.
    fn written(&self) -> impl Iterator<Item = (&'static FieldType, Option<&Node<'a>>)> {
        let mut values = self.values.iter().peekable();
        self.ty.fields.iter().filter_map(move |field| {
            let value = values.next_if(|(f, _)| ptr::eq(*f, field)).map(|(_, value)| value);
            let written = match (field.presence, value) {
                (Presence::Pointer, value) => value.is_some(),
                (Presence::Always, _) if is_scalar(&field.ty) => true,
                // To Go a quantity is a struct, and `omitempty` does not leave those out.
                _ if matches!(field.ty, Type::Quantity) => true,
                (_, value) => value.is_some_and(|value| !value.is_empty()),
            };
            written.then_some((field, value))
        })
    }
}

/// Whether a zero is written where Go always writes the field; nulls and empty objects are left out.
fn is_scalar(ty: &Type) -> bool {
    matches!(ty, Type::Bool | Type::Int32 | Type::Int64 | Type::Text(_) | Type::IntOrString)
}

fn same_field(field: &FieldType, a: Option<&Node<'_>>, b: Option<&Node<'_>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => a.same(b),
        (Some(one), None) | (None, Some(one)) => field.presence != Presence::Pointer && one.is_zero(),
    }
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Node::Bool(flag) => serializer.serialize_bool(*flag),
            Node::Int(number) => serializer.serialize_i64(*number),
            Node::Text(text) => serializer.serialize_str(text),
            Node::Quantity(quantity) => serializer.serialize_str(&quantity.canonical()),
            Node::Time(time) if *time == Timestamp::ZERO => serializer.serialize_none(),
            Node::Time(time) => time.serialize(serializer),
            Node::Raw(json) => {
                serde_json::from_str::<&RawValue>(json).map_err(S::Error::custom)?.serialize(serializer)
            }
            Node::List(items) => serializer.collect_seq(items),
            Node::Map(entries) => serializer.collect_map(entries),
            Node::Struct(fields) => fields.serialize(serializer),
        }
    }
}

impl Serialize for Struct<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (field, value) in self.written() {
            match value {
                Some(value) => map.serialize_entry(field.name, value)?,
                None => map.serialize_entry(field.name, &Node::zero(&field.ty))?,
            }
        }
        map.end()
    }
}

/// A value as JSON text.
pub(crate) fn json(value: &impl Serialize) -> String {
    // Serializing to memory fails only for keys that are not text, and all are.
    serde_json::to_string(value).unwrap_or_default()
}
