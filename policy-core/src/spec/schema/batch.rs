//! Job and CronJob (`batch/v1`), and the scheduling blocks a Job embeds (`scheduling/v1alpha3`).

use super::meta::{LABEL_SELECTOR, OBJECT_META, OBJECT_REFERENCE};
use super::pod::POD_TEMPLATE_SPEC;

super::schema! {
    JOB "v1.Job" {
        @TypeMeta kind? string, @TypeMeta apiVersion? string, metadata? OBJECT_META, spec? JOB_SPEC,
        status? JOB_STATUS,
    }

    CRON_JOB "v1.CronJob" {
        @TypeMeta kind? string, @TypeMeta apiVersion? string, metadata? OBJECT_META, spec? CRON_JOB_SPEC,
        status? CRON_JOB_STATUS,
    }

    JOB_SPEC "v1.JobSpec" {
        parallelism* int32, completions* int32, activeDeadlineSeconds* int64,
        podFailurePolicy* POD_FAILURE_POLICY, successPolicy* SUCCESS_POLICY, backoffLimit* int32,
        backoffLimitPerIndex* int32, maxFailedIndexes* int32, selector* LABEL_SELECTOR,
        manualSelector* bool, template: POD_TEMPLATE_SPEC, ttlSecondsAfterFinished* int32,
        completionMode* (enum CompletionMode), suspend* bool,
        podReplacementPolicy* (enum PodReplacementPolicy), managedBy* string,
        scheduling* JOB_SCHEDULING_CONFIGURATION,
    }

    JOB_STATUS "v1.JobStatus" {
        conditions? [JOB_CONDITION], startTime* time, completionTime* time, active? int32, succeeded? int32,
        failed? int32, terminating* int32, completedIndexes? string, failedIndexes* string,
        uncountedTerminatedPods* UNCOUNTED_TERMINATED_PODS, ready* int32,
    }

    CRON_JOB_SPEC "v1.CronJobSpec" {
        schedule: string, timeZone* string, startingDeadlineSeconds* int64,
        concurrencyPolicy? (enum ConcurrencyPolicy), suspend* bool, jobTemplate: JOB_TEMPLATE_SPEC,
        successfulJobsHistoryLimit* int32, failedJobsHistoryLimit* int32,
    }

    CRON_JOB_STATUS "v1.CronJobStatus" {
        active? [OBJECT_REFERENCE], lastScheduleTime* time, lastSuccessfulTime* time,
    }

    POD_FAILURE_POLICY "v1.PodFailurePolicy" {
        rules: [POD_FAILURE_POLICY_RULE],
    }

    SUCCESS_POLICY "v1.SuccessPolicy" {
        rules: [SUCCESS_POLICY_RULE],
    }

    JOB_SCHEDULING_CONFIGURATION "v1.JobSchedulingConfiguration" {
        schedulingPolicy* WORKLOAD_POD_GROUP_SCHEDULING_POLICY,
        schedulingConstraints* WORKLOAD_POD_GROUP_SCHEDULING_CONSTRAINTS,
        disruptionMode* WORKLOAD_POD_GROUP_DISRUPTION_MODE,
        resourceClaims? [WORKLOAD_POD_GROUP_RESOURCE_CLAIM],
    }

    JOB_CONDITION "v1.JobCondition" {
        type: (enum JobConditionType), status: (enum ConditionStatus), lastProbeTime? time,
        lastTransitionTime? time, reason? string, message? string,
    }

    UNCOUNTED_TERMINATED_PODS "v1.UncountedTerminatedPods" {
        succeeded? [uid], failed? [uid],
    }

    JOB_TEMPLATE_SPEC "v1.JobTemplateSpec" {
        metadata? OBJECT_META, spec? JOB_SPEC,
    }

    POD_FAILURE_POLICY_RULE "v1.PodFailurePolicyRule" {
        action: (enum PodFailurePolicyAction), onExitCodes* POD_FAILURE_POLICY_ON_EXIT_CODES_REQUIREMENT,
        onPodConditions? [POD_FAILURE_POLICY_ON_POD_CONDITIONS_PATTERN],
    }

    SUCCESS_POLICY_RULE "v1.SuccessPolicyRule" {
        succeededIndexes* string, succeededCount* int32,
    }

    WORKLOAD_POD_GROUP_SCHEDULING_POLICY "v1alpha3.WorkloadPodGroupSchedulingPolicy" {
        basic* WORKLOAD_POD_GROUP_BASIC_SCHEDULING_POLICY, gang* WORKLOAD_POD_GROUP_GANG_SCHEDULING_POLICY,
    }

    WORKLOAD_POD_GROUP_SCHEDULING_CONSTRAINTS "v1alpha3.WorkloadPodGroupSchedulingConstraints" {
        topology? [TOPOLOGY_CONSTRAINT],
    }

    WORKLOAD_POD_GROUP_DISRUPTION_MODE "v1alpha3.WorkloadPodGroupDisruptionMode" {
        single* WORKLOAD_POD_GROUP_SINGLE_DISRUPTION_MODE, all* WORKLOAD_POD_GROUP_ALL_DISRUPTION_MODE,
    }

    WORKLOAD_POD_GROUP_RESOURCE_CLAIM "v1alpha3.WorkloadPodGroupResourceClaim" {
        name: string, resourceClaimName* string, resourceClaimTemplateName* string,
    }

    POD_FAILURE_POLICY_ON_EXIT_CODES_REQUIREMENT "v1.PodFailurePolicyOnExitCodesRequirement" {
        containerName* string, operator: (enum PodFailurePolicyOnExitCodesOperator), values: [int32],
    }

    POD_FAILURE_POLICY_ON_POD_CONDITIONS_PATTERN "v1.PodFailurePolicyOnPodConditionsPattern" {
        type: (enum PodConditionType), status: (enum ConditionStatus),
    }

    WORKLOAD_POD_GROUP_BASIC_SCHEDULING_POLICY "v1alpha3.WorkloadPodGroupBasicSchedulingPolicy" {
    }

    WORKLOAD_POD_GROUP_GANG_SCHEDULING_POLICY "v1alpha3.WorkloadPodGroupGangSchedulingPolicy" {
        minCount* int32,
    }

    TOPOLOGY_CONSTRAINT "v1alpha3.TopologyConstraint" {
        key: string,
    }

    WORKLOAD_POD_GROUP_SINGLE_DISRUPTION_MODE "v1alpha3.WorkloadPodGroupSingleDisruptionMode" {
    }

    WORKLOAD_POD_GROUP_ALL_DISRUPTION_MODE "v1alpha3.WorkloadPodGroupAllDisruptionMode" {
    }
}
