//! Object metadata, selectors and references (`metav1`, and `v1` references).

super::schema! {
    OBJECT_META "v1.ObjectMeta" {
        name? string, generateName? string, namespace? string, selfLink? string, uid? uid,
        resourceVersion? string, generation? int64, creationTimestamp? time, deletionTimestamp* time,
        deletionGracePeriodSeconds* int64, labels? {string}, annotations? {string},
        ownerReferences? [OWNER_REFERENCE], finalizers? [string], managedFields? [MANAGED_FIELDS_ENTRY],
    }

    OWNER_REFERENCE "v1.OwnerReference" {
        apiVersion: string, kind: string, name: string, uid: uid, controller* bool,
        blockOwnerDeletion* bool,
    }

    MANAGED_FIELDS_ENTRY "v1.ManagedFieldsEntry" {
        manager? string, operation? (enum ManagedFieldsOperationType), apiVersion? string, time* time,
        fieldsType? string, fieldsV1* raw, subresource? string,
    }

    LABEL_SELECTOR "v1.LabelSelector" {
        matchLabels? {string}, matchExpressions? [LABEL_SELECTOR_REQUIREMENT],
    }

    OBJECT_REFERENCE "v1.ObjectReference" {
        kind? string, namespace? string, name? string, uid? uid, apiVersion? string,
        resourceVersion? string, fieldPath? string,
    }

    LABEL_SELECTOR_REQUIREMENT "v1.LabelSelectorRequirement" {
        key: string, operator: (enum LabelSelectorOperator), values? [string],
    }

    LOCAL_OBJECT_REFERENCE "v1.LocalObjectReference" {
        name? string,
    }
}
