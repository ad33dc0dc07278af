//! Paths within volumes (`validateLocalDescendingPath` and its kin).

use super::error::Errors;
use super::field::Field;

/// `validatePathNoBacksteps`, reported at `field`.
pub(super) fn no_backsteps(path: &str, field: &Field<'_, '_>, errors: &mut Errors) {
    if has_backsteps(path) {
        errors.invalid_value(field, path, "must not contain '..'");
    }
}

/// `validateLocalDescendingPath`.
pub(super) fn local_descending(path: &str, field: &Field<'_, '_>, errors: &mut Errors) {
    if path.starts_with('/') {
        errors.invalid_value(field, path, "must be a relative path");
    }
    no_backsteps(path, field, errors);
}

/// `ValidateLocalNonReservedPath`.
pub(super) fn local_non_reserved(path: &str, field: &Field<'_, '_>, errors: &mut Errors) {
    local_descending(path, field, errors);
    if is_reserved(path) {
        errors.invalid_value(field, path, "must not start with '..'");
    }
}

/// Whether [`local_non_reserved`] has nothing to say.
pub(super) fn is_local_non_reserved(path: &str) -> bool {
    !path.starts_with('/') && !has_backsteps(path) && !is_reserved(path)
}

/// Whether a path steps back.
pub(super) fn has_backsteps(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}

/// Whether a path starts like the kubelet's own; with a step back that is another error.
fn is_reserved(path: &str) -> bool {
    path.starts_with("..") && !path.starts_with("../")
}
