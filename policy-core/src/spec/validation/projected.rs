//! Projected volumes (`validateProjectedVolumeSource`). What a cluster trust bundle or a Pod certificate must look
//! like is not checked.

use super::error::Errors;
use super::field::Field;
use super::options::PodOptions;
use super::{paths, volumes};
use alloc::collections::BTreeSet;

pub(super) fn projected(volume: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    volumes::file_mode(&volume.child("defaultMode"), errors);
    volumes::user(&volume.child("defaultUser"), errors);
    let mut taken = BTreeSet::new();
    for source in volume.child("sources").items() {
        let mut kinds: usize = 0;
        for kind in [
            "secret",
            "configMap",
            "downwardAPI",
            "serviceAccountToken",
            "clusterTrustBundle",
            "podCertificate",
        ] {
            let projection = source.child(kind);
            if !projection.is_set() {
                continue;
            }
            kinds = kinds.saturating_add(1);
            match kind {
                "secret" | "configMap" => keys(&projection, volume, &mut taken, errors),
                "downwardAPI" => downward_api(&projection, volume, &mut taken, errors),
                "serviceAccountToken" => token(&projection, volume, options, errors),
                _ => {}
            }
        }
        if kinds > 1 {
            errors.forbidden(&source, "may not specify more than 1 volume type per source");
        }
    }
}

fn keys<'n>(
    projection: &Field<'_, 'n>,
    volume: &Field<'_, '_>,
    taken: &mut BTreeSet<&'n str>,
    errors: &mut Errors,
) {
    let name = projection.child("name");
    if name.text().is_empty() {
        errors.required(&name, "");
    }
    for item in projection.child("items").items() {
        volumes::key_to_path(&item, errors);
        take(item.child("path").text(), name.text(), volume, taken, errors);
    }
}

fn downward_api<'n>(
    projection: &Field<'_, 'n>,
    volume: &Field<'_, '_>,
    taken: &mut BTreeSet<&'n str>,
    errors: &mut Errors,
) {
    for file in projection.child("items").items() {
        volumes::downward_api_file(&projection.with_node(file.node()), errors);
        let path = file.child("path").text();
        take(path, path, volume, taken, errors);
    }
}

/// Notes a path within the volume, which must be given once; `shown` is what upstream names in the error.
fn take<'n>(
    path: &'n str,
    shown: &str,
    volume: &Field<'_, '_>,
    taken: &mut BTreeSet<&'n str>,
    errors: &mut Errors,
) {
    if !path.is_empty() && !taken.insert(path) {
        errors.invalid_value(volume, shown, "conflicting duplicate paths");
    }
}

fn token(projection: &Field<'_, '_>, volume: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    let expiration = projection.child("expirationSeconds");
    match expiration.int() {
        None => errors.required(&expiration, ""),
        Some(seconds) if seconds < 600 => {
            errors.invalid(&expiration, "may not specify a duration less than 10 minutes");
        }
        Some(seconds) if seconds > 1 << 32 => {
            errors.invalid(&expiration, "may not specify a duration larger than 2^32 seconds");
        }
        Some(_) => {}
    }
    // Upstream reports the path at the volume.
    let path = projection.child("path").text();
    let place = volume.at("path", None);
    if path.is_empty() {
        errors.required(&place, "");
    } else if !options.allow_non_local_projected_token_path {
        paths::local_non_reserved(path, &place, errors);
    }
    volumes::user(&projection.child("user"), errors);
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_pod_errors;

    #[test]
    fn sources() {
        expect_pod_errors(&[
            (r#"{"volumes":[{"name":"v","projected":{"sources":[{}]}}]}"#, &[]),
            (
                r#"{"volumes":[{"name":"v","projected":{"sources":[{"secret":{"name":"s"},"configMap":{"name":"c"}}]}}]}"#,
                &[
                    "volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source",
                ],
            ),
            (
                r#"{"volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"","expirationSeconds":5}}]}}]}"#,
                &[
                    "volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes",
                    "volumes[0].projected.path: Required value",
                ],
            ),
            (
                r#"{"volumes":[{"name":"v","projected":{"sources":[{"secret":{"name":"s","items":[{"key":"k","path":"a"}]}},{"configMap":{"name":"c","items":[{"key":"k","path":"a"}]}}]}}]}"#,
                &[r#"volumes[0].projected: Invalid value: "c": conflicting duplicate paths"#],
            ),
        ]);
    }
}
