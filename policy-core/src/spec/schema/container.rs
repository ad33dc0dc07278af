//! Containers, probes and environment (`v1`).

use super::pod::{APP_ARMOR_PROFILE, SE_LINUX_OPTIONS, SECCOMP_PROFILE, WINDOWS_SECURITY_CONTEXT_OPTIONS};

super::schema! {
    CONTAINER "v1.Container" {
        name: string, image? string, command? [string], args? [string], workingDir? string,
        ports? [CONTAINER_PORT], envFrom? [ENV_FROM_SOURCE], env? [ENV_VAR],
        resources? RESOURCE_REQUIREMENTS, resizePolicy? [CONTAINER_RESIZE_POLICY],
        restartPolicy* (enum ContainerRestartPolicy), restartPolicyRules? [CONTAINER_RESTART_RULE],
        volumeMounts? [VOLUME_MOUNT], volumeDevices? [VOLUME_DEVICE], livenessProbe* PROBE,
        readinessProbe* PROBE, startupProbe* PROBE, lifecycle* LIFECYCLE, terminationMessagePath? string,
        terminationMessagePolicy? (enum TerminationMessagePolicy), imagePullPolicy? (enum PullPolicy),
        securityContext* SECURITY_CONTEXT, stdin? bool, stdinOnce? bool, tty? bool,
    }

    EPHEMERAL_CONTAINER "v1.EphemeralContainer" {
        @EphemeralContainerCommon name: string, @EphemeralContainerCommon image? string,
        @EphemeralContainerCommon command? [string], @EphemeralContainerCommon args? [string],
        @EphemeralContainerCommon workingDir? string, @EphemeralContainerCommon ports? [CONTAINER_PORT],
        @EphemeralContainerCommon envFrom? [ENV_FROM_SOURCE], @EphemeralContainerCommon env? [ENV_VAR],
        @EphemeralContainerCommon resources? RESOURCE_REQUIREMENTS,
        @EphemeralContainerCommon resizePolicy? [CONTAINER_RESIZE_POLICY],
        @EphemeralContainerCommon restartPolicy* (enum ContainerRestartPolicy),
        @EphemeralContainerCommon restartPolicyRules? [CONTAINER_RESTART_RULE],
        @EphemeralContainerCommon volumeMounts? [VOLUME_MOUNT],
        @EphemeralContainerCommon volumeDevices? [VOLUME_DEVICE],
        @EphemeralContainerCommon livenessProbe* PROBE, @EphemeralContainerCommon readinessProbe* PROBE,
        @EphemeralContainerCommon startupProbe* PROBE, @EphemeralContainerCommon lifecycle* LIFECYCLE,
        @EphemeralContainerCommon terminationMessagePath? string,
        @EphemeralContainerCommon terminationMessagePolicy? (enum TerminationMessagePolicy),
        @EphemeralContainerCommon imagePullPolicy? (enum PullPolicy),
        @EphemeralContainerCommon securityContext* SECURITY_CONTEXT, @EphemeralContainerCommon stdin? bool,
        @EphemeralContainerCommon stdinOnce? bool, @EphemeralContainerCommon tty? bool,
        targetContainerName? string,
    }

    RESOURCE_REQUIREMENTS "v1.ResourceRequirements" {
        limits? {quantity}, requests? {quantity}, claims? [RESOURCE_CLAIM],
    }

    CONTAINER_PORT "v1.ContainerPort" {
        name? string, hostPort? int32, containerPort: int32, protocol? (enum Protocol), hostIP? string,
    }

    ENV_FROM_SOURCE "v1.EnvFromSource" {
        prefix? string, configMapRef* CONFIG_MAP_ENV_SOURCE, secretRef* SECRET_ENV_SOURCE,
    }

    ENV_VAR "v1.EnvVar" {
        name: string, value? string, valueFrom* ENV_VAR_SOURCE,
    }

    CONTAINER_RESIZE_POLICY "v1.ContainerResizePolicy" {
        resourceName: (enum ResourceName), restartPolicy: (enum ResourceResizeRestartPolicy),
    }

    CONTAINER_RESTART_RULE "v1.ContainerRestartRule" {
        action? (enum ContainerRestartRuleAction), exitCodes* CONTAINER_RESTART_RULE_ON_EXIT_CODES,
    }

    VOLUME_MOUNT "v1.VolumeMount" {
        name: string, readOnly? bool, recursiveReadOnly* (enum RecursiveReadOnlyMode), mountPath: string,
        subPath? string, mountPropagation* (enum MountPropagationMode), subPathExpr? string,
        bindMountOptions? [string],
    }

    VOLUME_DEVICE "v1.VolumeDevice" {
        name: string, devicePath: string,
    }

    PROBE "v1.Probe" {
        @ProbeHandler exec* EXEC_ACTION, @ProbeHandler httpGet* HTTP_GET_ACTION,
        @ProbeHandler tcpSocket* TCP_SOCKET_ACTION, @ProbeHandler grpc* GRPC_ACTION,
        initialDelaySeconds? int32, timeoutSeconds? int32, periodSeconds? int32, successThreshold? int32,
        failureThreshold? int32, terminationGracePeriodSeconds* int64,
    }

    LIFECYCLE "v1.Lifecycle" {
        postStart* LIFECYCLE_HANDLER, preStop* LIFECYCLE_HANDLER, stopSignal* (enum Signal),
    }

    SECURITY_CONTEXT "v1.SecurityContext" {
        capabilities* CAPABILITIES, privileged* bool, seLinuxOptions* SE_LINUX_OPTIONS,
        windowsOptions* WINDOWS_SECURITY_CONTEXT_OPTIONS, runAsUser* int64, runAsGroup* int64,
        runAsNonRoot* bool, readOnlyRootFilesystem* bool, allowPrivilegeEscalation* bool,
        procMount* (enum ProcMountType), seccompProfile* SECCOMP_PROFILE,
        appArmorProfile* APP_ARMOR_PROFILE,
    }

    RESOURCE_CLAIM "v1.ResourceClaim" {
        name: string, request? string,
    }

    CONFIG_MAP_ENV_SOURCE "v1.ConfigMapEnvSource" {
        @LocalObjectReference name? string, optional* bool,
    }

    SECRET_ENV_SOURCE "v1.SecretEnvSource" {
        @LocalObjectReference name? string, optional* bool,
    }

    ENV_VAR_SOURCE "v1.EnvVarSource" {
        fieldRef* OBJECT_FIELD_SELECTOR, resourceFieldRef* RESOURCE_FIELD_SELECTOR,
        configMapKeyRef* CONFIG_MAP_KEY_SELECTOR, secretKeyRef* SECRET_KEY_SELECTOR,
        fileKeyRef* FILE_KEY_SELECTOR,
    }

    CONTAINER_RESTART_RULE_ON_EXIT_CODES "v1.ContainerRestartRuleOnExitCodes" {
        operator? (enum ContainerRestartRuleOnExitCodesOperator), values? [int32],
    }

    EXEC_ACTION "v1.ExecAction" {
        command? [string],
    }

    HTTP_GET_ACTION "v1.HTTPGetAction" {
        path? string, port: int_or_string, host? string, scheme? (enum URIScheme),
        httpHeaders? [HTTP_HEADER], protocol* (enum HTTPProtocol),
    }

    TCP_SOCKET_ACTION "v1.TCPSocketAction" {
        port: int_or_string, host? string,
    }

    GRPC_ACTION "v1.GRPCAction" {
        port: int32, service* string, mode* (enum GRPCProbeMode),
    }

    LIFECYCLE_HANDLER "v1.LifecycleHandler" {
        exec* EXEC_ACTION, httpGet* HTTP_GET_ACTION, tcpSocket* TCP_SOCKET_ACTION, sleep* SLEEP_ACTION,
    }

    CAPABILITIES "v1.Capabilities" {
        add? [(enum Capability)], drop? [(enum Capability)],
    }

    OBJECT_FIELD_SELECTOR "v1.ObjectFieldSelector" {
        apiVersion? string, fieldPath: string,
    }

    RESOURCE_FIELD_SELECTOR "v1.ResourceFieldSelector" {
        containerName? string, resource: string, divisor? quantity,
    }

    CONFIG_MAP_KEY_SELECTOR "v1.ConfigMapKeySelector" {
        @LocalObjectReference name? string, key: string, optional* bool,
    }

    SECRET_KEY_SELECTOR "v1.SecretKeySelector" {
        @LocalObjectReference name? string, key: string, optional* bool,
    }

    FILE_KEY_SELECTOR "v1.FileKeySelector" {
        volumeName: string, path: string, key: string, optional* bool,
    }

    HTTP_HEADER "v1.HTTPHeader" {
        name: string, value: string,
    }

    SLEEP_ACTION "v1.SleepAction" {
        seconds: int64,
    }
}
