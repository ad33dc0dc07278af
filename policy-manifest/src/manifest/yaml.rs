//! YAML to JSON values as `kubectl` reads it, with the place of every value.
//!
//! Events come from granit-parser, the parser under serde-saphyr; what a scalar means is `scalar.rs`. Duplicate
//! keys, deep nesting and aliases that multiply are refused.

use super::scalar::{self, Scalar};
use super::spans::{Inside, SpanNode};
use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, StructureStyle, Tag};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// Values nested deeper than this are refused, in YAML and in JSON.
pub const MAX_DEPTH: usize = 128;

/// What anchors and aliases may copy, in bytes: enough for any manifest, too little for a "billion laughs" file.
const ALIAS_BUDGET: usize = 16 << 20;

/// The prefix that `!!` stands for.
const CORE_TAGS: &str = "tag:yaml.org,2002:";

/// One document of a YAML text.
#[derive(Clone, Debug, PartialEq)]
pub struct YamlDocument {
    /// The document as JSON.
    pub value: Value,
    /// The place of everything in it.
    pub spans: SpanNode,
}

/// Why a text is not YAML that can be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlError {
    /// What is wrong.
    pub message: String,
    /// The bytes at fault.
    pub range: Range<usize>,
    /// What to do, where there is more to say than the message.
    pub help: Option<String>,
}

type Composed<T> = Result<T, YamlError>;

/// Reads all documents of a text; empty ones count as `null`.
///
/// # Errors
/// The first thing that is wrong with the text.
pub fn parse(text: &str) -> Composed<Vec<YamlDocument>> {
    let options = granit_parser::options! {
        emit_comments: false,
        bom_inside_document_as_content: true,
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    let composer = Composer { text, parser, anchors: HashMap::new(), budget: ALIAS_BUDGET, depth: 0 };
    composer.documents().map_err(|error| {
        let help = error.help.or_else(|| super::hints::for_syntax(text, error.range.start));
        YamlError { help, ..error }
    })
}

/// A value with its places.
#[derive(Clone, Debug)]
struct Node {
    value: Value,
    spans: SpanNode,
}

struct Composer<'t> {
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    /// By anchor number; `None` while the anchored value is still being read.
    anchors: HashMap<usize, Option<Node>>,
    budget: usize,
    depth: usize,
}

impl<'t> Composer<'t> {
    fn documents(mut self) -> Composed<Vec<YamlDocument>> {
        let mut documents = Vec::new();
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(documents),
                (Event::DocumentStart(_, version), range) => {
                    if version.is_some_and(|version| (version.major, version.minor) != (1, 1)) {
                        let help =
                            "`kubectl` reads YAML 1.1 and refuses other versions; remove the `%YAML` line";
                        return Err(YamlError {
                            help: Some(help.to_owned()),
                            ..error("incompatible YAML version", range)
                        });
                    }
                    self.anchors.clear();
                    let first = self.next()?;
                    let node = self.node(first)?;
                    documents.push(YamlDocument { value: node.value, spans: node.spans });
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Composed<(Event<'t>, Range<usize>)> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.range(&span))),
            Some(Err(error)) => Err(self.syntax_error(&error)),
            None => Ok((Event::StreamEnd, self.text.len()..self.text.len())),
        }
    }

    fn range(&self, span: &Span) -> Range<usize> {
        span.byte_range().unwrap_or(0..0)
    }

    fn syntax_error(&self, error: &ScanError) -> YamlError {
        let start = error.marker().byte_offset().unwrap_or(0).min(self.text.len());
        YamlError { message: error.info(), range: start..start, help: None }
    }

    fn node(&mut self, (event, range): (Event<'t>, Range<usize>)) -> Composed<Node> {
        match event {
            Event::Alias(id) => self.alias(id, range),
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar_value(&text, style, tag.as_deref(), &range)?;
                self.anchored(
                    anchor,
                    Node { value, spans: SpanNode { value: range, inside: Inside::Nothing } },
                )
            }
            Event::SequenceStart(_, anchor, _) => self.nested(anchor, range, Self::sequence),
            Event::MappingStart(StructureStyle::Block, anchor, _) => {
                self.nested(anchor, range, Self::block_mapping)
            }
            Event::MappingStart(_, anchor, _) => self.nested(anchor, range, Self::flow_mapping),
            _ => Err(error("expected a value here", range)),
        }
    }

    fn nested(
        &mut self,
        anchor: usize,
        range: Range<usize>,
        read: fn(&mut Self, Range<usize>) -> Composed<Node>,
    ) -> Composed<Node> {
        if self.depth == MAX_DEPTH {
            return Err(error(format!("values are nested more than {MAX_DEPTH} deep"), range));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, None);
        }
        self.depth += 1;
        let node = read(self, range)?;
        self.depth -= 1;
        self.anchored(anchor, node)
    }

    fn anchored(&mut self, anchor: usize, node: Node) -> Composed<Node> {
        if anchor > 0 {
            self.spend(&node)?;
            self.anchors.insert(anchor, Some(node.clone()));
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, range: Range<usize>) -> Composed<Node> {
        match self.anchors.get(&id) {
            Some(Some(node)) => {
                let mut node = node.clone();
                node.spans.value = range;
                self.spend(&node)?;
                Ok(node)
            }
            _ => Err(error("this alias stands inside the value it names", range)),
        }
    }

    /// Charges a copy to the budget.
    fn spend(&mut self, node: &Node) -> Composed<()> {
        let left = self.budget.checked_sub(weight(&node.value));
        self.budget = left.ok_or_else(|| YamlError {
            message: format!("anchors and aliases copy more than {} MiB", ALIAS_BUDGET >> 20),
            range: node.spans.value.clone(),
            help: Some("write the values out, or split the file".to_owned()),
        })?;
        Ok(())
    }

    fn sequence(&mut self, range: Range<usize>) -> Composed<Node> {
        let (mut values, mut spans) = (Vec::new(), Vec::new());
        loop {
            let next = self.next()?;
            if next.0 == Event::SequenceEnd {
                let value = range.start..next.1.end.max(range.end);
                return Ok(Node {
                    value: Value::Array(values),
                    spans: SpanNode { value, inside: Inside::List(spans) },
                });
            }
            let item = self.node(next)?;
            values.push(item.value);
            spans.push(item.spans);
        }
    }

    fn block_mapping(&mut self, range: Range<usize>) -> Composed<Node> {
        self.mapping(range, true)
    }

    fn flow_mapping(&mut self, range: Range<usize>) -> Composed<Node> {
        self.mapping(range, false)
    }

    fn mapping(&mut self, range: Range<usize>, block: bool) -> Composed<Node> {
        let mut mapping = Mapping::default();
        loop {
            let next = self.next()?;
            if next.0 == Event::MappingEnd {
                let value = range.start..next.1.end.max(range.end);
                return Ok(mapping.finish(value));
            }
            if block {
                self.refuse_tabs_before(&next.1)?;
            }
            let is_merge = is_merge_key(&next.0);
            let (key, key_range) = self.key(next)?;
            let value = self.next()?;
            let value = self.node(value)?;
            if is_merge {
                mapping.merge(value)?;
            } else {
                mapping.insert(self.text, key, key_range, value)?;
            }
        }
    }

    /// libyaml takes no tab as indentation; granit-parser lets one pass before the first key.
    fn refuse_tabs_before(&self, key: &Range<usize>) -> Composed<()> {
        let line_start = self.text[..key.start].rfind('\n').map_or(0, |newline| newline + 1);
        let before = &self.text[line_start..key.start];
        if before.contains('\t') && before.trim().is_empty() {
            return Err(error("tabs cannot indent", line_start..key.start));
        }
        Ok(())
    }

    fn key(&mut self, (event, range): (Event<'t>, Range<usize>)) -> Composed<(String, Range<usize>)> {
        let refused = |what: &str| Err(error(format!("{what} cannot be a key"), range.clone()));
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = resolve(&text, style, tag.as_deref(), &range)?;
                let Some(key) = scalar.to_key(&text) else { return refused(scalar.type_name()) };
                let spans = SpanNode { value: range.clone(), inside: Inside::Nothing };
                let value = scalar.to_json(&text).unwrap_or(Value::Null);
                self.anchored(anchor, Node { value, spans })?;
                Ok((key, range))
            }
            Event::Alias(id) => match self.alias(id, range.clone())?.value {
                Value::String(key) => Ok((key, range)),
                other => refused(json_type_name(&other)),
            },
            _ => refused("a list or mapping"),
        }
    }
}

/// A mapping being read. Explicit keys win over merged ones, earlier merges over later ones.
#[derive(Default)]
struct Mapping {
    value: Map<String, Value>,
    spans: Vec<(String, Range<usize>, SpanNode)>,
    explicit: HashMap<String, Range<usize>>,
}

impl Mapping {
    fn insert(&mut self, text: &str, key: String, key_range: Range<usize>, node: Node) -> Composed<()> {
        if let Some(first) = self.explicit.insert(key.clone(), key_range.clone()) {
            let line = text[..first.start].matches('\n').count() + 1;
            return Err(YamlError {
                message: format!("duplicate key `{key}`"),
                range: key_range,
                help: Some(format!("it is there already, at line {line}; remove one of the two")),
            });
        }
        self.put(key, key_range, node);
        Ok(())
    }

    fn put(&mut self, key: String, key_range: Range<usize>, node: Node) {
        self.value.insert(key.clone(), node.value);
        // A merged entry of the same key stays before this one; look-ups take the last.
        self.spans.push((key, key_range, node.spans));
    }

    /// `<<: *base` or `<<: [*one, *two]` (go-yaml's `merge`).
    fn merge(&mut self, node: Node) -> Composed<()> {
        match (node.value, node.spans.inside) {
            (Value::Object(value), Inside::Map(spans)) => {
                self.merge_mapping(value, spans);
                Ok(())
            }
            (Value::Array(values), Inside::List(spans)) => {
                for (value, spans) in values.into_iter().zip(spans) {
                    let (Value::Object(value), Inside::Map(inside)) = (value, spans.inside) else {
                        return Err(not_a_mapping(spans.value));
                    };
                    self.merge_mapping(value, inside);
                }
                Ok(())
            }
            _ => Err(not_a_mapping(node.spans.value)),
        }
    }

    fn merge_mapping(&mut self, mut value: Map<String, Value>, spans: Vec<(String, Range<usize>, SpanNode)>) {
        for (key, key_range, spans) in spans {
            if !self.value.contains_key(&key)
                && let Some(value) = value.remove(&key)
            {
                self.put(key, key_range, Node { value, spans });
            }
        }
    }

    fn finish(self, range: Range<usize>) -> Node {
        Node {
            value: Value::Object(self.value),
            spans: SpanNode { value: range, inside: Inside::Map(self.spans) },
        }
    }
}

fn is_merge_key(event: &Event<'_>) -> bool {
    match event {
        Event::Scalar(text, style, _, tag) => {
            text == "<<"
                && (plain_without_tag(*style, tag.as_deref()) || has_core_tag(tag.as_deref(), "merge"))
        }
        _ => false,
    }
}

fn plain_without_tag(style: ScalarStyle, tag: Option<&Tag>) -> bool {
    style == ScalarStyle::Plain && tag.is_none()
}

fn has_core_tag(tag: Option<&Tag>, suffix: &str) -> bool {
    tag.is_some_and(|tag| tag.is_yaml_core_schema_tag(suffix))
}

fn scalar_value(text: &str, style: ScalarStyle, tag: Option<&Tag>, range: &Range<usize>) -> Composed<Value> {
    let scalar = resolve(text, style, tag, range)?;
    scalar.to_json(text).ok_or_else(|| error(format!("`{text}` has no JSON form"), range.clone()))
}

/// The type of a scalar: by its tag if it has one, as a string if it is quoted, else by its text.
fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>, range: &Range<usize>) -> Composed<Scalar> {
    let Some(suffix) = tag.map(|tag| tag.suffix_in_namespace(CORE_TAGS).unwrap_or("str".into())) else {
        return Ok(if style == ScalarStyle::Plain { scalar::resolve(text) } else { Scalar::Str });
    };
    let scalar = scalar::resolve(text);
    let fits = match (&*suffix, &scalar) {
        ("int", Scalar::Int(_) | Scalar::UInt(_))
        | ("float", Scalar::Float(_))
        | ("bool", Scalar::Bool(_))
        | ("null", Scalar::Null) => true,
        #[expect(clippy::cast_precision_loss, reason = "a float was asked for")]
        ("float", Scalar::Int(i)) => return Ok(Scalar::Float(*i as f64)),
        ("int" | "float" | "bool" | "null", _) => false,
        ("binary", _) => {
            return Err(YamlError {
                message: "`!!binary` is not supported".to_owned(),
                range: range.clone(),
                help: Some("write the base64 text as a string, without the tag".to_owned()),
            });
        }
        _ => return Ok(Scalar::Str),
    };
    if fits {
        Ok(scalar)
    } else {
        Err(error(format!("`{text}` is not of the type `!!{suffix}`"), range.clone()))
    }
}

/// Roughly the bytes a copy of the value takes.
fn weight(value: &Value) -> usize {
    const NODE: usize = 64;
    let inside = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + weight(value)).sum(),
        _ => 0,
    };
    NODE + inside
}

pub(super) fn json_type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

fn not_a_mapping(range: Range<usize>) -> YamlError {
    error("`<<` merges a mapping or a list of mappings", range)
}

fn error(message: impl Into<Cow<'static, str>>, range: Range<usize>) -> YamlError {
    YamlError { message: message.into().into_owned(), range, help: None }
}
