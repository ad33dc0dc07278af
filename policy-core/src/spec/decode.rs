//! Reading a manifest as the API server's JSON decoder does (sigs.k8s.io/json on Go's encoding/json): case
//! matters, unknown and duplicate fields are noted, and a wrong type is told in Go's words.

use super::object::{Map, Node, Struct};
use super::quantity::Quantity;
use super::schema::{FieldType, Presence, StructType, Type};
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

mod reader;
mod time;

use reader::{Malformed, Reader};

/// What became of a manifest.
pub(crate) struct Decoded<'a> {
    /// The object, as far as it could be read.
    pub(crate) object: Struct<'a>,
    /// Unknown and duplicate fields, in the order of the text, as upstream words them; at most 100.
    pub(crate) strict_errors: Vec<String>,
}

/// Reads the text of a JSON object into a struct.
///
/// # Errors
/// The first type mismatch, or the refusal of a quantity or time, in Go's words.
pub(crate) fn decode<'a>(text: &'a str, ty: &'static StructType) -> Result<Decoded<'a>, String> {
    let mut decoder =
        Decoder { reader: Reader::new(text), path: Vec::new(), mismatch: None, strict_errors: Vec::new() };
    let mut slot = None;
    let outcome = decoder.structure(ty, &mut slot);
    let Decoder { mismatch, strict_errors, .. } = decoder;
    outcome.map_err(|Abort(error)| error)?;
    match (mismatch, slot) {
        (Some(error), _) => Err(error),
        (None, Some(Node::Struct(object))) => Ok(Decoded { object, strict_errors }),
        (None, _) => Ok(Decoded { object: Struct::new(ty), strict_errors }),
    }
}

/// How much of an object to read for its type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TypeMeta {
    /// Until both fields are known, which is all there is to know unless one is given twice.
    First,
    /// To the end, so that the last counts.
    Last,
}

/// Reads what an object calls itself: its `apiVersion` and `kind` (`SimpleMetaFactory.Interpret`, which unlike the
/// rest of decoding passes over the case of letters).
///
/// # Errors
/// Upstream's words where the text is not an object, or either is not a text.
pub(crate) fn type_meta(text: &str, extent: TypeMeta) -> Result<(Cow<'_, str>, Cow<'_, str>), String> {
    let mut reader = Reader::new(text);
    let (mut api_version, mut kind) = (Cow::Borrowed(""), Cow::Borrowed(""));
    let wrong = |got: &str, what: &str| {
        format!("couldn't get version/kind; json parse error: json: cannot unmarshal {got} into Go {what}")
    };
    if reader.peek() == Some(b'n') {
        return Ok((api_version, kind));
    }
    if reader.peek() != Some(b'{') {
        let ty = r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;
        return Err(wrong(reader.kind(), &format!("value of type {ty}")));
    }
    let mut first = true;
    while let Some(key) = reader.next_key(&mut first).map_err(Malformed::into_text)? {
        let (place, name) = if is_folded(&key, "apiVersion") {
            (&mut api_version, "apiVersion")
        } else if is_folded(&key, "kind") {
            (&mut kind, "kind")
        } else {
            reader.skip().map_err(Malformed::into_text)?;
            continue;
        };
        match reader.peek() {
            Some(b'"') => *place = reader.string().map_err(Malformed::into_text)?,
            Some(b'n') => reader.skip().map(drop).map_err(Malformed::into_text)?,
            _ => return Err(wrong(reader.kind(), &format!("struct field .{name} of type string"))),
        }
        if extent == TypeMeta::First && !api_version.is_empty() && !kind.is_empty() {
            break;
        }
    }
    Ok((api_version, kind))
}

/// Whether `encoding/json` takes a key for the field `name`, whatever the case of its letters.
fn is_folded(key: &str, name: &str) -> bool {
    let fold = |c: char| match c {
        // The two letters outside ASCII that have a form within.
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        c => c.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(name.chars().map(fold))
}

/// An error that ends decoding at once: those of types that read themselves.
struct Abort(String);

impl From<Malformed> for Abort {
    fn from(malformed: Malformed) -> Self {
        Abort(malformed.into_text())
    }
}

/// A step from the root to the value being read.
enum Step<'a> {
    Field(&'static FieldType, &'static StructType),
    Key(Cow<'a, str>),
    Index(usize),
}

struct Decoder<'a> {
    reader: Reader<'a>,
    path: Vec<Step<'a>>,
    /// The first type mismatch: Go goes on reading and reports it at the end.
    mismatch: Option<String>,
    strict_errors: Vec<String>,
}

/// How many strict errors are kept.
const MAX_STRICT_ERRORS: usize = 100;

impl<'a> Decoder<'a> {
    /// Reads a value into its place, which holds the earlier value if a field is given twice.
    fn value(&mut self, ty: &'static Type, slot: &mut Option<Node<'a>>) -> Result<(), Abort> {
        let first = self.reader.peek();
        match ty {
            Type::Quantity => self.quantity(slot),
            Type::Time => self.time(slot),
            Type::IntOrString => self.int_or_string(slot),
            Type::Raw => {
                *slot = Some(Node::Raw(Cow::Borrowed(self.reader.skip()?)));
                Ok(())
            }
            // A null leaves a plain value as it is.
            _ if first == Some(b'n') => Ok(self.reader.skip().map(drop)?),
            Type::List(item) if first == Some(b'[') => self.list(item, slot),
            Type::Map(value) if first == Some(b'{') => self.map(value, slot),
            Type::Struct(fields) => self.structure(fields, slot),
            Type::Text(_) if first == Some(b'"') => {
                *slot = Some(Node::Text(self.reader.string()?));
                Ok(())
            }
            Type::Bool if matches!(first, Some(b't' | b'f')) => {
                self.reader.skip()?;
                *slot = Some(Node::Bool(first == Some(b't')));
                Ok(())
            }
            Type::Int32 | Type::Int64 if self.reader.kind() == "number" => self.int(ty, slot),
            _ => self.wrong_type(ty),
        }
    }

    fn structure(&mut self, ty: &'static StructType, slot: &mut Option<Node<'a>>) -> Result<(), Abort> {
        match self.reader.peek() {
            Some(b'{') => {}
            Some(b'n') => return Ok(self.reader.skip().map(drop)?),
            _ => {
                let got = self.reader.kind();
                self.note_mismatch(got, ty.go);
                return Ok(self.reader.skip().map(drop)?);
            }
        }
        let mut fields = match slot.take() {
            Some(Node::Struct(fields)) => fields,
            _ => Struct::new(ty),
        };
        // One bit for each field; no type has more than 64.
        let mut seen: u64 = 0;
        let mut first = true;
        while let Some(key) = self.reader.next_key(&mut first)? {
            let Some((index, field)) = ty.position(&key) else {
                self.note_strict("unknown", &key);
                self.reader.skip()?;
                continue;
            };
            let bit = 1_u64.checked_shl(index).unwrap_or_default();
            if seen & bit != 0 {
                self.note_strict("duplicate", field.name);
            }
            seen |= bit;
            let mut value = fields.take(field);
            self.path.push(Step::Field(field, ty));
            self.field(field, &mut value)?;
            self.path.pop();
            if let Some(value) = value {
                fields.put(field, value);
            }
        }
        *slot = Some(Node::Struct(fields));
        Ok(())
    }

    fn field(&mut self, field: &'static FieldType, value: &mut Option<Node<'a>>) -> Result<(), Abort> {
        let nullable =
            field.presence == Presence::Pointer || matches!(field.ty, Type::List(_) | Type::Map(_));
        if nullable && self.reader.peek() == Some(b'n') {
            *value = None;
            return Ok(self.reader.skip().map(drop)?);
        }
        self.value(&field.ty, value)
    }

    fn list(&mut self, item: &'static Type, slot: &mut Option<Node<'a>>) -> Result<(), Abort> {
        // Go reads into the slice that is there, item by item.
        let mut earlier = match slot.take() {
            Some(Node::List(items)) => items,
            _ => Vec::new(),
        }
        .into_iter();
        let mut items = Vec::new();
        let mut first = true;
        while self.reader.next_item(&mut first)? {
            self.path.push(Step::Index(items.len()));
            let mut value = earlier.next();
            self.value(item, &mut value)?;
            self.path.pop();
            items.push(value.unwrap_or_else(|| Node::zero(item)));
        }
        *slot = Some(Node::List(items));
        Ok(())
    }

    fn map(&mut self, ty: &'static Type, slot: &mut Option<Node<'a>>) -> Result<(), Abort> {
        let mut entries = match slot.take() {
            Some(Node::Map(entries)) => entries,
            _ => Map::new(),
        };
        let before = entries.len();
        let mut seen = Map::new();
        let mut first = true;
        while let Some(key) = self.reader.next_key(&mut first)? {
            // Only keys of this very map count as duplicates, not those merged into from an earlier one.
            let duplicate = if before == 0 {
                entries.contains_key(&key)
            } else {
                seen.insert(key.clone(), Node::Bool(true)).is_some()
            };
            if duplicate {
                self.note_strict("duplicate", &key);
            }
            self.path.push(Step::Key(key.clone()));
            let mut value = None;
            self.value(ty, &mut value)?;
            self.path.pop();
            entries.insert(key, value.unwrap_or_else(|| Node::zero(ty)));
        }
        *slot = Some(Node::Map(entries));
        Ok(())
    }

    fn int(&mut self, ty: &'static Type, slot: &mut Option<Node<'a>>) -> Result<(), Abort> {
        let text = self.reader.skip()?;
        let number = text.parse::<i64>().ok();
        match number.filter(|n| matches!(ty, Type::Int64) || i32::try_from(*n).is_ok()) {
            Some(number) => *slot = Some(Node::Int(number)),
            None => self.note_mismatch(&format!("number {text}"), &ty.go()),
        }
        Ok(())
    }

    /// `Quantity.UnmarshalJSON`: looks at the raw text, so a number will do, too.
    fn quantity(&mut self, slot: &mut Option<Node<'a>>) -> Result<(), Abort> {
        let raw = self.reader.skip()?;
        if raw == "null" {
            *slot = Some(Node::Quantity(Quantity::ZERO));
            return Ok(());
        }
        let text = raw.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(raw);
        let quantity = Quantity::parse(text.trim()).map_err(|error| Abort(error.into()))?;
        *slot = Some(Node::Quantity(quantity));
        Ok(())
    }

    /// `Time.UnmarshalJSON`.
    fn time(&mut self, slot: &mut Option<Node<'a>>) -> Result<(), Abort> {
        match self.reader.peek() {
            Some(b'n') => {
                self.reader.skip()?;
                *slot = Some(Node::Time(crate::Timestamp::ZERO));
                Ok(())
            }
            Some(b'"') => {
                let text = self.reader.string()?;
                *slot = Some(Node::Time(time::parse_rfc3339(&text).map_err(Abort)?));
                Ok(())
            }
            _ => {
                let got = self.reader.kind();
                Err(Abort(self.mismatch(got, "string")))
            }
        }
    }

    /// `IntOrString.UnmarshalJSON`.
    fn int_or_string(&mut self, slot: &mut Option<Node<'a>>) -> Result<(), Abort> {
        let kind = self.reader.kind();
        let value = match kind {
            "string" => Node::Text(self.reader.string()?),
            "null" => {
                self.reader.skip()?;
                Node::Int(0)
            }
            "number" => {
                let text = self.reader.skip()?;
                let number = text
                    .parse::<i32>()
                    .map_err(|_| Abort(self.mismatch(&format!("number {text}"), "int32")))?;
                Node::Int(number.into())
            }
            _ => return Err(Abort(self.mismatch(kind, "int32"))),
        };
        *slot = Some(value);
        Ok(())
    }

    fn wrong_type(&mut self, ty: &Type) -> Result<(), Abort> {
        let got = self.reader.kind();
        self.note_mismatch(got, &ty.go());
        Ok(self.reader.skip().map(drop)?)
    }

    fn note_mismatch(&mut self, got: &str, wanted: &str) {
        if self.mismatch.is_none() {
            self.mismatch = Some(self.mismatch(got, wanted));
        }
    }

    /// `UnmarshalTypeError.Error`, with the field that Go has on its stack.
    fn mismatch(&self, got: &str, wanted: &str) -> String {
        let mut owner = None;
        let mut names = Vec::new();
        for step in &self.path {
            if let Step::Field(field, ty) = step {
                owner = Some(*ty);
                names.extend(Some(field.embedded).filter(|name| !name.is_empty()));
                names.push(field.name);
            }
        }
        match owner {
            Some(ty) => format!(
                "json: cannot unmarshal {got} into Go struct field {}.{} of type {wanted}",
                ty.short_name(),
                names.join("."),
            ),
            None => format!("json: cannot unmarshal {got} into Go value of type {wanted}"),
        }
    }

    fn note_strict(&mut self, what: &str, name: &str) {
        if self.strict_errors.len() >= MAX_STRICT_ERRORS {
            return;
        }
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Index(index) => path.push_str(&format!("[{index}]")),
                Step::Field(FieldType { name, .. }, _) => push_name(&mut path, name),
                Step::Key(key) => push_name(&mut path, key),
            }
        }
        push_name(&mut path, name);
        let error = format!("{what} field {}", crate::cron::go_text::quote(&path));
        if !self.strict_errors.contains(&error) {
            self.strict_errors.push(error);
        }
    }
}

fn push_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

impl Malformed {
    fn into_text(self) -> String {
        self.to_string()
    }
}
