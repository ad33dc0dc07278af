//! The Go types of Job and CronJob, down to the last field of the Pod template (Kubernetes v1.37).
//!
//! Decoding, encoding and comparing follow these tables, so that a manifest is read exactly as the API server
//! reads it: which fields exist, what they hold, and what Go calls them in its errors.

use alloc::format;
use alloc::string::String;

pub(crate) mod batch;
pub(crate) mod container;
pub(crate) mod meta;
pub(crate) mod pod;
pub(crate) mod volume;

/// A Go struct.
#[derive(Debug)]
pub(crate) struct StructType {
    /// The type as Go's `reflect.Type.String` names it, like `v1.Container`.
    pub(crate) go: &'static str,
    /// The fields, those of embedded structs in place, in Go's order.
    pub(crate) fields: &'static [FieldType],
}

impl StructType {
    /// The field of this exact name; sigs.k8s.io/json does not fold cases.
    pub(crate) fn field(&'static self, name: &str) -> Option<&'static FieldType> {
        self.fields.iter().find(|field| field.is_named(name))
    }

    /// The field of this exact name, and how many come before it.
    pub(crate) fn position(&'static self, name: &str) -> Option<(u32, &'static FieldType)> {
        (0..).zip(self.fields).find(|(_, field)| field.is_named(name))
    }

    /// The name without its package.
    pub(crate) fn short_name(&self) -> &'static str {
        self.go.split_once('.').map_or(self.go, |(_, name)| name)
    }
}

/// A field of a Go struct.
#[derive(Debug)]
pub(crate) struct FieldType {
    /// Its name in JSON.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) ty: Type,
    /// When it is written, and what its absence means.
    pub(crate) presence: Presence,
    /// The embedded struct that it comes from, or empty; Go names it in the path of a type error.
    pub(crate) embedded: &'static str,
}

impl FieldType {
    /// Whether this is the field's name. Lookups go through a type's fields one by one, so most answers are no; length
    /// and last byte tell nearly all of them apart without a call to `memcmp`.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name.len() == name.len()
            && self.name.as_bytes().last() == name.as_bytes().last()
            && self.name == name
    }
}

/// How a field behaves when it is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// A plain field, written even when zero.
    Always,
    /// A plain field with `omitempty`.
    NotZero,
    /// A pointer: being set to zero and not being set are two things.
    Pointer,
}

/// What a field, list item or map value holds.
#[derive(Debug)]
pub(crate) enum Type {
    /// `bool`.
    Bool,
    /// `int32`.
    Int32,
    /// `int64`.
    Int64,
    /// `string`, or a type over it by Go's name.
    Text(&'static str),
    /// `resource.Quantity`.
    Quantity,
    /// `metav1.Time`.
    Time,
    /// `intstr.IntOrString`.
    IntOrString,
    /// `metav1.FieldsV1`: any JSON, kept as it is.
    Raw,
    /// A slice.
    List(&'static Type),
    /// A map from strings.
    Map(&'static Type),
    /// A struct.
    Struct(&'static StructType),
}

impl Type {
    /// What Go calls the type in an error.
    pub(crate) fn go(&self) -> String {
        match self {
            Type::Bool => "bool".into(),
            Type::Int32 => "int32".into(),
            Type::Int64 => "int64".into(),
            Type::Text(go) => (*go).into(),
            Type::Quantity => "resource.Quantity".into(),
            Type::Time => "v1.Time".into(),
            Type::IntOrString => "intstr.IntOrString".into(),
            Type::Raw => "v1.FieldsV1".into(),
            Type::List(item) => format!("[]{}", item.go()),
            // The one map to quantities is a named type.
            Type::Map(Type::Quantity) => "v1.ResourceList".into(),
            Type::Map(value) => format!("map[string]{}", value.go()),
            Type::Struct(ty) => ty.go.into(),
        }
    }
}

/// Declares structs: `NAME "go.Name" { field: type, field? type, field* type, @Embedded field? type }`, where `:`
/// is a field that is always written, `?` one with `omitempty`, and `*` a pointer.
macro_rules! schema {
    ($($name:ident $go:literal { $($(@ $embedded:ident)? $field:ident $mark:tt $ty:tt),* $(,)? })*) => {
        $(
            pub(crate) static $name: $crate::spec::schema::StructType = $crate::spec::schema::StructType {
                go: $go,
                fields: &[$($crate::spec::schema::FieldType {
                    name: stringify!($field),
                    ty: $crate::spec::schema::ty!($ty),
                    presence: $crate::spec::schema::presence!($mark),
                    embedded: concat!($(stringify!($embedded))?),
                }),*],
            };
        )*
    };
}

macro_rules! presence {
    (:) => {
        $crate::spec::schema::Presence::Always
    };
    (?) => {
        $crate::spec::schema::Presence::NotZero
    };
    (*) => {
        $crate::spec::schema::Presence::Pointer
    };
}

macro_rules! ty {
    (string) => {
        $crate::spec::schema::Type::Text("string")
    };
    (uid) => {
        $crate::spec::schema::Type::Text("types.UID")
    };
    ((enum $name:ident)) => {
        $crate::spec::schema::Type::Text(concat!("v1.", stringify!($name)))
    };
    (bool) => {
        $crate::spec::schema::Type::Bool
    };
    (int32) => {
        $crate::spec::schema::Type::Int32
    };
    (int64) => {
        $crate::spec::schema::Type::Int64
    };
    (quantity) => {
        $crate::spec::schema::Type::Quantity
    };
    (time) => {
        $crate::spec::schema::Type::Time
    };
    (int_or_string) => {
        $crate::spec::schema::Type::IntOrString
    };
    (raw) => {
        $crate::spec::schema::Type::Raw
    };
    ([$item:tt]) => {
        $crate::spec::schema::Type::List(&$crate::spec::schema::ty!($item))
    };
    ({$value:tt}) => {
        $crate::spec::schema::Type::Map(&$crate::spec::schema::ty!($value))
    };
    ($name:ident) => {
        $crate::spec::schema::Type::Struct(&$name)
    };
}

pub(crate) use {presence, schema, ty};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_as_in_go() {
        let field = |ty: &'static StructType, name: &str| ty.field(name).unwrap().ty.go();
        assert_eq!(field(&pod::POD_SPEC, "containers"), "[]v1.Container");
        assert_eq!(field(&container::CONTAINER, "imagePullPolicy"), "v1.PullPolicy");
        assert_eq!(field(&container::RESOURCE_REQUIREMENTS, "limits"), "v1.ResourceList");
        assert_eq!(field(&meta::OBJECT_META, "labels"), "map[string]string");
        assert_eq!(field(&batch::JOB, "spec"), "v1.JobSpec");
    }

    #[test]
    fn no_type_has_more_fields_than_the_decoder_has_bits() {
        for ty in [&pod::POD_SPEC, &container::CONTAINER, &container::EPHEMERAL_CONTAINER, &volume::VOLUME] {
            assert!(ty.fields.len() <= 64, "{}", ty.go);
        }
    }

    #[test]
    fn names_are_case_sensitive() {
        assert!(pod::POD_SPEC.field("restartPolicy").is_some());
        assert!(pod::POD_SPEC.field("restartpolicy").is_none());
    }
}
