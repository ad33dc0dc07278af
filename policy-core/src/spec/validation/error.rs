//! Field errors, as upstream shapes and words them (`field.Error`).

use super::field::Field;
use crate::cron::go_text::quote;
use crate::spec::object::{Node, json};
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// What is wrong with a field (`field.ErrorType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorType {
    /// `FieldValueNotFound`: what it refers to does not exist.
    NotFound,
    /// `FieldValueRequired`: it must be set.
    Required,
    /// `FieldValueDuplicate`: it must be unique.
    Duplicate,
    /// `FieldValueInvalid`: it is malformed, out of bounds, or must not change.
    Invalid,
    /// `FieldValueNotSupported`: it is not one of the known values.
    NotSupported,
    /// `FieldValueForbidden`: it must not be set here.
    Forbidden,
    /// `FieldValueTooLong`: it has too many bytes.
    TooLong,
    /// `FieldValueTooMany`: it has too many items.
    TooMany,
}

impl ErrorType {
    /// The name in API responses, like `FieldValueInvalid`.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorType::NotFound => "FieldValueNotFound",
            ErrorType::Required => "FieldValueRequired",
            ErrorType::Duplicate => "FieldValueDuplicate",
            ErrorType::Invalid => "FieldValueInvalid",
            ErrorType::NotSupported => "FieldValueNotSupported",
            ErrorType::Forbidden => "FieldValueForbidden",
            ErrorType::TooLong => "FieldValueTooLong",
            ErrorType::TooMany => "FieldValueTooMany",
        }
    }

    /// The words in messages (`ErrorType.String`).
    fn words(self) -> &'static str {
        match self {
            ErrorType::NotFound => "Not found",
            ErrorType::Required => "Required value",
            ErrorType::Duplicate => "Duplicate value",
            ErrorType::Invalid => "Invalid value",
            ErrorType::NotSupported => "Unsupported value",
            ErrorType::Forbidden => "Forbidden",
            ErrorType::TooLong => "Too long",
            ErrorType::TooMany => "Too many",
        }
    }
}

/// A field of a manifest that the API server would refuse.
///
/// ```
/// use policy_core::spec::validation::{CreateContext, ErrorType, Rules, validate_create};
/// let job = r#"{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "pi"}, "spec": {
///     "template": {"spec": {"restartPolicy": "Sometimes", "containers": [{"name": "pi", "image": "perl"}]}}}}"#;
/// let job = serde_json::from_str(job).unwrap();
/// let review = validate_create(job, &CreateContext::default(), &Rules::default());
/// assert_eq!(review.errors[0].kind, ErrorType::NotSupported);
/// assert_eq!(
///     review.errors[0].to_string(),
///     r#"spec.template.spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never""#,
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// What is wrong.
    pub kind: ErrorType,
    /// Where, like `spec.template.spec.containers[0].name`.
    pub field: String,
    /// The value as upstream prints it; none where it prints none. Whole objects are printed as in manifests,
    /// where upstream uses its internal names.
    pub value: Option<String>,
    /// Why; may be empty.
    pub detail: Cow<'static, str>,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.kind.words())?;
        if let Some(value) = &self.value {
            write!(f, ": {value}")?;
        }
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

impl core::error::Error for FieldError {}

/// The errors found so far, in upstream's order.
#[derive(Debug, Default)]
pub(super) struct Errors(Vec<FieldError>);

impl Errors {
    pub(super) fn push(
        &mut self,
        kind: ErrorType,
        field: &Field<'_, '_>,
        value: Option<String>,
        detail: impl Into<Cow<'static, str>>,
    ) {
        self.0.push(FieldError { kind, field: field.to_string(), value, detail: detail.into() });
    }

    pub(super) fn required(&mut self, field: &Field<'_, '_>, detail: impl Into<Cow<'static, str>>) {
        self.push(ErrorType::Required, field, None, detail);
    }

    pub(super) fn forbidden(&mut self, field: &Field<'_, '_>, detail: impl Into<Cow<'static, str>>) {
        self.push(ErrorType::Forbidden, field, None, detail);
    }

    pub(super) fn invalid(&mut self, field: &Field<'_, '_>, detail: impl Into<Cow<'static, str>>) {
        self.push(ErrorType::Invalid, field, Some(printed(field.node())), detail);
    }

    /// An invalid value that is not the field's own.
    pub(super) fn invalid_value(
        &mut self,
        field: &Field<'_, '_>,
        value: impl Printed,
        detail: impl Into<Cow<'static, str>>,
    ) {
        self.push(ErrorType::Invalid, field, Some(value.printed()), detail);
    }

    /// An invalid field whose value is not shown (`field.OmitValueType`).
    pub(super) fn invalid_unshown(&mut self, field: &Field<'_, '_>, detail: impl Into<Cow<'static, str>>) {
        self.push(ErrorType::Invalid, field, None, detail);
    }

    /// An invalid field for which upstream shows no value but null.
    pub(super) fn invalid_null(&mut self, field: &Field<'_, '_>, detail: &'static str) {
        self.push(ErrorType::Invalid, field, Some("null".into()), detail);
    }

    /// One invalid-value error for each message.
    pub(super) fn invalid_all(
        &mut self,
        field: &Field<'_, '_>,
        messages: impl IntoIterator<Item = Cow<'static, str>>,
    ) {
        for message in messages {
            self.invalid(field, message);
        }
    }

    pub(super) fn duplicate(&mut self, field: &Field<'_, '_>) {
        self.push(ErrorType::Duplicate, field, Some(printed(field.node())), "");
    }

    pub(super) fn duplicate_value(&mut self, field: &Field<'_, '_>, value: impl Printed) {
        self.push(ErrorType::Duplicate, field, Some(value.printed()), "");
    }

    pub(super) fn not_found(&mut self, field: &Field<'_, '_>) {
        self.push(ErrorType::NotFound, field, Some(quote(field.text())), "");
    }

    pub(super) fn not_supported(&mut self, field: &Field<'_, '_>, supported: &[&str]) {
        self.push(ErrorType::NotSupported, field, Some(printed(field.node())), supported_values(supported));
    }

    /// An unknown value that is not the field's own.
    pub(super) fn not_supported_value(&mut self, field: &Field<'_, '_>, value: &str, supported: &[&str]) {
        self.push(ErrorType::NotSupported, field, Some(quote(value)), supported_values(supported));
    }

    pub(super) fn too_long(&mut self, field: &Field<'_, '_>, max_bytes: usize) {
        self.push(ErrorType::TooLong, field, None, format!("may not be more than {max_bytes} bytes"));
    }

    pub(super) fn too_many(&mut self, field: &Field<'_, '_>, max_items: usize) {
        let count = field.items_len().to_string();
        self.push(ErrorType::TooMany, field, Some(count), format!("must have at most {max_items} items"));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Removes errors; upstream does so where a declarative rule takes over.
    pub(super) fn retain(&mut self, keep: impl FnMut(&FieldError) -> bool) {
        self.0.retain(keep);
    }

    /// The list without errors of the same text (`ErrorList.ToAggregate`).
    pub(super) fn into_distinct(self) -> Vec<FieldError> {
        let mut distinct: Vec<FieldError> = Vec::with_capacity(self.0.len());
        for error in self.0 {
            if !distinct.contains(&error) {
                distinct.push(error);
            }
        }
        distinct
    }
}

fn supported_values(supported: &[&str]) -> String {
    let quoted: Vec<String> = supported.iter().map(|value| quote(value)).collect();
    format!("supported values: {}", quoted.join(", "))
}

/// A value in an error's text.
pub(super) trait Printed {
    fn printed(self) -> String;
}

impl Printed for &str {
    fn printed(self) -> String {
        quote(self)
    }
}

impl Printed for bool {
    fn printed(self) -> String {
        self.to_string()
    }
}

impl Printed for i64 {
    fn printed(self) -> String {
        self.to_string()
    }
}

fn printed(node: Option<&Node<'_>>) -> String {
    match node {
        None => "null".into(),
        Some(Node::Text(text)) => quote(text),
        Some(Node::Int(number)) => number.to_string(),
        Some(Node::Bool(flag)) => flag.to_string(),
        Some(other) => json(other),
    }
}
