//! The Pod template and the Pod spec (`v1`).

use super::container::{CONTAINER, EPHEMERAL_CONTAINER, RESOURCE_REQUIREMENTS};
use super::meta::{LABEL_SELECTOR, LOCAL_OBJECT_REFERENCE, OBJECT_META};
use super::volume::VOLUME;

super::schema! {
    POD_TEMPLATE_SPEC "v1.PodTemplateSpec" {
        metadata? OBJECT_META, spec? POD_SPEC,
    }

    POD_SPEC "v1.PodSpec" {
        volumes? [VOLUME], initContainers? [CONTAINER], containers: [CONTAINER],
        ephemeralContainers? [EPHEMERAL_CONTAINER], restartPolicy? (enum RestartPolicy),
        terminationGracePeriodSeconds* int64, activeDeadlineSeconds* int64, dnsPolicy? (enum DNSPolicy),
        nodeSelector? {string}, serviceAccountName? string, serviceAccount? string,
        automountServiceAccountToken* bool, nodeName? string, hostNetwork? bool, hostPID? bool,
        hostIPC? bool, shareProcessNamespace* bool, securityContext* POD_SECURITY_CONTEXT,
        imagePullSecrets? [LOCAL_OBJECT_REFERENCE], hostname? string, subdomain? string, affinity* AFFINITY,
        schedulerName? string, tolerations? [TOLERATION], hostAliases? [HOST_ALIAS],
        priorityClassName? string, priority* int32, dnsConfig* POD_DNS_CONFIG,
        readinessGates? [POD_READINESS_GATE], runtimeClassName* string, enableServiceLinks* bool,
        preemptionPolicy* (enum PreemptionPolicy), overhead? {quantity},
        topologySpreadConstraints? [TOPOLOGY_SPREAD_CONSTRAINT], setHostnameAsFQDN* bool, os* POD_OS,
        hostUsers* bool, schedulingGates? [POD_SCHEDULING_GATE], resourceClaims? [POD_RESOURCE_CLAIM],
        resources* RESOURCE_REQUIREMENTS, hostnameOverride* string, schedulingGroup* POD_SCHEDULING_GROUP,
        evictionResponders? [EVICTION_RESPONDER],
    }

    POD_SECURITY_CONTEXT "v1.PodSecurityContext" {
        seLinuxOptions* SE_LINUX_OPTIONS, windowsOptions* WINDOWS_SECURITY_CONTEXT_OPTIONS,
        runAsUser* int64, runAsGroup* int64, runAsNonRoot* bool, supplementalGroups? [int64],
        supplementalGroupsPolicy* (enum SupplementalGroupsPolicy), fsGroup* int64, sysctls? [SYSCTL],
        fsGroupChangePolicy* (enum PodFSGroupChangePolicy), seccompProfile* SECCOMP_PROFILE,
        appArmorProfile* APP_ARMOR_PROFILE, seLinuxChangePolicy* (enum PodSELinuxChangePolicy),
    }

    AFFINITY "v1.Affinity" {
        nodeAffinity* NODE_AFFINITY, podAffinity* POD_AFFINITY, podAntiAffinity* POD_ANTI_AFFINITY,
    }

    TOLERATION "v1.Toleration" {
        key? string, operator? (enum TolerationOperator), value? string, effect? (enum TaintEffect),
        tolerationSeconds* int64,
    }

    HOST_ALIAS "v1.HostAlias" {
        ip: string, hostnames? [string],
    }

    POD_DNS_CONFIG "v1.PodDNSConfig" {
        nameservers? [string], searches? [string], options? [POD_DNS_CONFIG_OPTION],
    }

    POD_READINESS_GATE "v1.PodReadinessGate" {
        conditionType: (enum PodConditionType),
    }

    TOPOLOGY_SPREAD_CONSTRAINT "v1.TopologySpreadConstraint" {
        maxSkew: int32, topologyKey: string, whenUnsatisfiable: (enum UnsatisfiableConstraintAction),
        labelSelector* LABEL_SELECTOR, minDomains* int32, nodeAffinityPolicy* (enum NodeInclusionPolicy),
        nodeTaintsPolicy* (enum NodeInclusionPolicy), matchLabelKeys? [string],
    }

    POD_OS "v1.PodOS" {
        name: (enum OSName),
    }

    POD_SCHEDULING_GATE "v1.PodSchedulingGate" {
        name: string,
    }

    POD_RESOURCE_CLAIM "v1.PodResourceClaim" {
        name: string, resourceClaimName* string, resourceClaimTemplateName* string,
    }

    POD_SCHEDULING_GROUP "v1.PodSchedulingGroup" {
        podGroupName* string,
    }

    EVICTION_RESPONDER "v1.EvictionResponder" {
        name: string, priority* int32,
    }

    SE_LINUX_OPTIONS "v1.SELinuxOptions" {
        user? string, role? string, type? string, level? string,
    }

    WINDOWS_SECURITY_CONTEXT_OPTIONS "v1.WindowsSecurityContextOptions" {
        gmsaCredentialSpecName* string, gmsaCredentialSpec* string, runAsUserName* string,
        hostProcess* bool,
    }

    SYSCTL "v1.Sysctl" {
        name: string, value: string,
    }

    SECCOMP_PROFILE "v1.SeccompProfile" {
        type: (enum SeccompProfileType), localhostProfile* string,
    }

    APP_ARMOR_PROFILE "v1.AppArmorProfile" {
        type: (enum AppArmorProfileType), localhostProfile* string,
    }

    NODE_AFFINITY "v1.NodeAffinity" {
        requiredDuringSchedulingIgnoredDuringExecution* NODE_SELECTOR,
        preferredDuringSchedulingIgnoredDuringExecution? [PREFERRED_SCHEDULING_TERM],
    }

    POD_AFFINITY "v1.PodAffinity" {
        requiredDuringSchedulingIgnoredDuringExecution? [POD_AFFINITY_TERM],
        preferredDuringSchedulingIgnoredDuringExecution? [WEIGHTED_POD_AFFINITY_TERM],
    }

    POD_ANTI_AFFINITY "v1.PodAntiAffinity" {
        requiredDuringSchedulingIgnoredDuringExecution? [POD_AFFINITY_TERM],
        preferredDuringSchedulingIgnoredDuringExecution? [WEIGHTED_POD_AFFINITY_TERM],
    }

    POD_DNS_CONFIG_OPTION "v1.PodDNSConfigOption" {
        name? string, value* string,
    }

    NODE_SELECTOR "v1.NodeSelector" {
        nodeSelectorTerms: [NODE_SELECTOR_TERM],
    }

    PREFERRED_SCHEDULING_TERM "v1.PreferredSchedulingTerm" {
        weight: int32, preference: NODE_SELECTOR_TERM,
    }

    POD_AFFINITY_TERM "v1.PodAffinityTerm" {
        labelSelector* LABEL_SELECTOR, namespaces? [string], topologyKey: string,
        namespaceSelector* LABEL_SELECTOR, matchLabelKeys? [string], mismatchLabelKeys? [string],
    }

    WEIGHTED_POD_AFFINITY_TERM "v1.WeightedPodAffinityTerm" {
        weight: int32, podAffinityTerm: POD_AFFINITY_TERM,
    }

    NODE_SELECTOR_TERM "v1.NodeSelectorTerm" {
        matchExpressions? [NODE_SELECTOR_REQUIREMENT], matchFields? [NODE_SELECTOR_REQUIREMENT],
    }

    NODE_SELECTOR_REQUIREMENT "v1.NodeSelectorRequirement" {
        key: string, operator: (enum NodeSelectorOperator), values? [string],
    }
}
