//! A field of an object: its value, if it is set, together with its path.

use crate::Timestamp;
use crate::spec::object::{Map, Node, Struct};
use crate::spec::quantity::Quantity;
use core::fmt;

/// A place in an object, known even where nothing is set. The path is kept as a chain of parents on the stack and
/// only written out for an error.
#[derive(Clone, Copy)]
pub(super) struct Field<'p, 'n> {
    node: Option<&'n Node<'n>>,
    parent: Option<&'p Field<'p, 'n>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Name(&'p str),
    Index(usize),
    Key(&'p str),
}

impl<'p, 'n> Field<'p, 'n> {
    /// The object itself; its path is empty.
    pub(super) fn root(node: &'n Node<'n>) -> Self {
        Field { node: Some(node), parent: None, step: Step::Root }
    }

    pub(super) fn child<'c>(&'c self, name: &'c str) -> Field<'c, 'n> {
        let node = self.fields().and_then(|fields| fields.get(name));
        Field { node, parent: Some(self), step: Step::Name(name) }
    }

    /// A value under a path that is not its own: upstream's paths do not always follow the object.
    pub(super) fn at<'c>(&'c self, name: &'c str, node: Option<&'n Node<'n>>) -> Field<'c, 'n> {
        Field { node, parent: Some(self), step: Step::Name(name) }
    }

    /// The same value under another name.
    pub(super) fn renamed(self, name: &'p str) -> Self {
        Field { step: Step::Name(name), ..self }
    }

    /// Another value under this very path.
    pub(super) fn with_node(self, node: Option<&'n Node<'n>>) -> Self {
        Field { node, ..self }
    }

    /// The value under a key of a map.
    pub(super) fn key<'c>(&'c self, key: &'c str) -> Field<'c, 'n> {
        Field { node: self.map().and_then(|map| map.get(key)), parent: Some(self), step: Step::Key(key) }
    }

    pub(super) fn index(&self, index: usize) -> Field<'_, 'n> {
        let node = self.node.and_then(|node| node.items().get(index));
        Field { node, parent: Some(self), step: Step::Index(index) }
    }

    /// Another field's value as an item of this list.
    pub(super) fn at_index<'c>(&'c self, index: usize, item: &Field<'_, 'n>) -> Field<'c, 'n> {
        Field { node: item.node, parent: Some(self), step: Step::Index(index) }
    }

    /// The items of a list; none when not set.
    pub(super) fn items<'c>(&'c self) -> impl Iterator<Item = Field<'c, 'n>> + use<'c, 'p, 'n> {
        let items = self.node.map_or(&[][..], Node::items);
        items.iter().enumerate().map(move |(index, node)| Field {
            node: Some(node),
            parent: Some(self),
            step: Step::Index(index),
        })
    }

    /// The values of a map with their keys, by key; none when not set.
    pub(super) fn entries<'c>(&'c self) -> impl Iterator<Item = (&'n str, Field<'c, 'n>)> + use<'c, 'p, 'n> {
        self.map().into_iter().flatten().map(move |(key, node)| {
            let key: &'n str = key;
            (key, Field { node: Some(node), parent: Some(self), step: Step::Key(key) })
        })
    }

    pub(super) fn node(&self) -> Option<&'n Node<'n>> {
        self.node
    }

    pub(super) fn is_set(&self) -> bool {
        self.node.is_some()
    }

    pub(super) fn fields(&self) -> Option<&'n Struct<'n>> {
        self.node?.as_struct()
    }

    pub(super) fn map(&self) -> Option<&'n Map<'n>> {
        self.node?.as_map()
    }

    /// The text; empty when not set.
    pub(super) fn text(&self) -> &'n str {
        self.node.and_then(Node::as_text).unwrap_or_default()
    }

    /// The text, if set.
    pub(super) fn opt_text(&self) -> Option<&'n str> {
        self.node?.as_text()
    }

    /// The number, if set.
    pub(super) fn int(&self) -> Option<i64> {
        self.node?.as_int()
    }

    /// The number; zero when not set.
    pub(super) fn int_or_zero(&self) -> i64 {
        self.int().unwrap_or_default()
    }

    /// The flag; false when not set.
    pub(super) fn is_true(&self) -> bool {
        self.flag() == Some(true)
    }

    /// The flag, if set.
    pub(super) fn flag(&self) -> Option<bool> {
        self.node?.as_bool()
    }

    /// The time, if set.
    pub(super) fn time(&self) -> Option<Timestamp> {
        self.node?.as_time()
    }

    /// The quantity, if set.
    pub(super) fn quantity(&self) -> Option<Quantity> {
        self.node?.as_quantity()
    }

    /// How many items a list has.
    pub(super) fn items_len(&self) -> usize {
        self.node.map_or(0, |node| node.items().len())
    }

    /// The texts of a list of texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = &'n str> + use<'n> {
        self.node.map_or(&[][..], Node::items).iter().filter_map(Node::as_text)
    }
}

impl fmt::Display for Field<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        let top = self.parent.is_none_or(|parent| matches!(parent.step, Step::Root));
        match self.step {
            Step::Root => Ok(()),
            Step::Name(name) if top => f.write_str(name),
            Step::Name(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => write!(f, "[{key}]"),
        }
    }
}
