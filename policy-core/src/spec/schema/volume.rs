//! Volumes and what they project (`v1`).

use super::container::{OBJECT_FIELD_SELECTOR, RESOURCE_FIELD_SELECTOR};
use super::meta::{LABEL_SELECTOR, LOCAL_OBJECT_REFERENCE, OBJECT_META};

super::schema! {
    VOLUME "v1.Volume" {
        name: string, @VolumeSource hostPath* HOST_PATH_VOLUME_SOURCE,
        @VolumeSource emptyDir* EMPTY_DIR_VOLUME_SOURCE,
        @VolumeSource gcePersistentDisk* GCE_PERSISTENT_DISK_VOLUME_SOURCE,
        @VolumeSource awsElasticBlockStore* AWS_ELASTIC_BLOCK_STORE_VOLUME_SOURCE,
        @VolumeSource gitRepo* GIT_REPO_VOLUME_SOURCE, @VolumeSource secret* SECRET_VOLUME_SOURCE,
        @VolumeSource nfs* NFS_VOLUME_SOURCE, @VolumeSource iscsi* ISCSI_VOLUME_SOURCE,
        @VolumeSource glusterfs* GLUSTERFS_VOLUME_SOURCE,
        @VolumeSource persistentVolumeClaim* PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE,
        @VolumeSource rbd* RBD_VOLUME_SOURCE, @VolumeSource flexVolume* FLEX_VOLUME_SOURCE,
        @VolumeSource cinder* CINDER_VOLUME_SOURCE, @VolumeSource cephfs* CEPH_FS_VOLUME_SOURCE,
        @VolumeSource flocker* FLOCKER_VOLUME_SOURCE, @VolumeSource downwardAPI* DOWNWARD_API_VOLUME_SOURCE,
        @VolumeSource fc* FC_VOLUME_SOURCE, @VolumeSource azureFile* AZURE_FILE_VOLUME_SOURCE,
        @VolumeSource configMap* CONFIG_MAP_VOLUME_SOURCE,
        @VolumeSource vsphereVolume* VSPHERE_VIRTUAL_DISK_VOLUME_SOURCE,
        @VolumeSource quobyte* QUOBYTE_VOLUME_SOURCE, @VolumeSource azureDisk* AZURE_DISK_VOLUME_SOURCE,
        @VolumeSource photonPersistentDisk* PHOTON_PERSISTENT_DISK_VOLUME_SOURCE,
        @VolumeSource projected* PROJECTED_VOLUME_SOURCE,
        @VolumeSource portworxVolume* PORTWORX_VOLUME_SOURCE, @VolumeSource scaleIO* SCALE_IO_VOLUME_SOURCE,
        @VolumeSource storageos* STORAGE_OS_VOLUME_SOURCE, @VolumeSource csi* CSI_VOLUME_SOURCE,
        @VolumeSource ephemeral* EPHEMERAL_VOLUME_SOURCE, @VolumeSource image* IMAGE_VOLUME_SOURCE,
    }

    HOST_PATH_VOLUME_SOURCE "v1.HostPathVolumeSource" {
        path: string, type* (enum HostPathType),
    }

    EMPTY_DIR_VOLUME_SOURCE "v1.EmptyDirVolumeSource" {
        medium? (enum StorageMedium), sizeLimit* quantity, mode* int32,
    }

    GCE_PERSISTENT_DISK_VOLUME_SOURCE "v1.GCEPersistentDiskVolumeSource" {
        pdName: string, fsType? string, partition? int32, readOnly? bool,
    }

    AWS_ELASTIC_BLOCK_STORE_VOLUME_SOURCE "v1.AWSElasticBlockStoreVolumeSource" {
        volumeID: string, fsType? string, partition? int32, readOnly? bool,
    }

    GIT_REPO_VOLUME_SOURCE "v1.GitRepoVolumeSource" {
        repository: string, revision? string, directory? string,
    }

    SECRET_VOLUME_SOURCE "v1.SecretVolumeSource" {
        secretName? string, items? [KEY_TO_PATH], defaultMode* int32, optional* bool, defaultUser* int64,
    }

    NFS_VOLUME_SOURCE "v1.NFSVolumeSource" {
        server: string, path: string, readOnly? bool,
    }

    ISCSI_VOLUME_SOURCE "v1.ISCSIVolumeSource" {
        targetPortal: string, iqn: string, lun: int32, iscsiInterface? string, fsType? string,
        readOnly? bool, portals? [string], chapAuthDiscovery? bool, chapAuthSession? bool,
        secretRef* LOCAL_OBJECT_REFERENCE, initiatorName* string,
    }

    GLUSTERFS_VOLUME_SOURCE "v1.GlusterfsVolumeSource" {
        endpoints: string, path: string, readOnly? bool,
    }

    PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE "v1.PersistentVolumeClaimVolumeSource" {
        claimName: string, readOnly? bool,
    }

    RBD_VOLUME_SOURCE "v1.RBDVolumeSource" {
        monitors: [string], image: string, fsType? string, pool? string, user? string, keyring? string,
        secretRef* LOCAL_OBJECT_REFERENCE, readOnly? bool,
    }

    FLEX_VOLUME_SOURCE "v1.FlexVolumeSource" {
        driver: string, fsType? string, secretRef* LOCAL_OBJECT_REFERENCE, readOnly? bool,
        options? {string},
    }

    CINDER_VOLUME_SOURCE "v1.CinderVolumeSource" {
        volumeID: string, fsType? string, readOnly? bool, secretRef* LOCAL_OBJECT_REFERENCE,
    }

    CEPH_FS_VOLUME_SOURCE "v1.CephFSVolumeSource" {
        monitors: [string], path? string, user? string, secretFile? string,
        secretRef* LOCAL_OBJECT_REFERENCE, readOnly? bool,
    }

    FLOCKER_VOLUME_SOURCE "v1.FlockerVolumeSource" {
        datasetName? string, datasetUUID? string,
    }

    DOWNWARD_API_VOLUME_SOURCE "v1.DownwardAPIVolumeSource" {
        items? [DOWNWARD_API_VOLUME_FILE], defaultMode* int32, defaultUser* int64,
    }

    FC_VOLUME_SOURCE "v1.FCVolumeSource" {
        targetWWNs? [string], lun* int32, fsType? string, readOnly? bool, wwids? [string],
    }

    AZURE_FILE_VOLUME_SOURCE "v1.AzureFileVolumeSource" {
        secretName: string, shareName: string, readOnly? bool,
    }

    CONFIG_MAP_VOLUME_SOURCE "v1.ConfigMapVolumeSource" {
        @LocalObjectReference name? string, items? [KEY_TO_PATH], defaultMode* int32, optional* bool,
        defaultUser* int64,
    }

    VSPHERE_VIRTUAL_DISK_VOLUME_SOURCE "v1.VsphereVirtualDiskVolumeSource" {
        volumePath: string, fsType? string, storagePolicyName? string, storagePolicyID? string,
    }

    QUOBYTE_VOLUME_SOURCE "v1.QuobyteVolumeSource" {
        registry: string, volume: string, readOnly? bool, user? string, group? string, tenant? string,
    }

    AZURE_DISK_VOLUME_SOURCE "v1.AzureDiskVolumeSource" {
        diskName: string, diskURI: string, cachingMode* (enum AzureDataDiskCachingMode), fsType* string,
        readOnly* bool, kind* (enum AzureDataDiskKind),
    }

    PHOTON_PERSISTENT_DISK_VOLUME_SOURCE "v1.PhotonPersistentDiskVolumeSource" {
        pdID: string, fsType? string,
    }

    PROJECTED_VOLUME_SOURCE "v1.ProjectedVolumeSource" {
        sources: [VOLUME_PROJECTION], defaultMode* int32, defaultUser* int64,
    }

    PORTWORX_VOLUME_SOURCE "v1.PortworxVolumeSource" {
        volumeID: string, fsType? string, readOnly? bool,
    }

    SCALE_IO_VOLUME_SOURCE "v1.ScaleIOVolumeSource" {
        gateway: string, system: string, secretRef* LOCAL_OBJECT_REFERENCE, sslEnabled? bool,
        protectionDomain? string, storagePool? string, storageMode? string, volumeName? string,
        fsType? string, readOnly? bool,
    }

    STORAGE_OS_VOLUME_SOURCE "v1.StorageOSVolumeSource" {
        volumeName? string, volumeNamespace? string, fsType? string, readOnly? bool,
        secretRef* LOCAL_OBJECT_REFERENCE,
    }

    CSI_VOLUME_SOURCE "v1.CSIVolumeSource" {
        driver: string, readOnly* bool, fsType* string, volumeAttributes? {string},
        nodePublishSecretRef* LOCAL_OBJECT_REFERENCE,
    }

    EPHEMERAL_VOLUME_SOURCE "v1.EphemeralVolumeSource" {
        volumeClaimTemplate* PERSISTENT_VOLUME_CLAIM_TEMPLATE,
    }

    IMAGE_VOLUME_SOURCE "v1.ImageVolumeSource" {
        reference? string, pullPolicy? (enum PullPolicy),
    }

    KEY_TO_PATH "v1.KeyToPath" {
        key: string, path: string, mode* int32, user* int64,
    }

    DOWNWARD_API_VOLUME_FILE "v1.DownwardAPIVolumeFile" {
        path: string, fieldRef* OBJECT_FIELD_SELECTOR, resourceFieldRef* RESOURCE_FIELD_SELECTOR,
        mode* int32, user* int64,
    }

    VOLUME_PROJECTION "v1.VolumeProjection" {
        secret* SECRET_PROJECTION, downwardAPI* DOWNWARD_API_PROJECTION, configMap* CONFIG_MAP_PROJECTION,
        serviceAccountToken* SERVICE_ACCOUNT_TOKEN_PROJECTION,
        clusterTrustBundle* CLUSTER_TRUST_BUNDLE_PROJECTION, podCertificate* POD_CERTIFICATE_PROJECTION,
    }

    PERSISTENT_VOLUME_CLAIM_TEMPLATE "v1.PersistentVolumeClaimTemplate" {
        metadata? OBJECT_META, spec: PERSISTENT_VOLUME_CLAIM_SPEC,
    }

    SECRET_PROJECTION "v1.SecretProjection" {
        @LocalObjectReference name? string, items? [KEY_TO_PATH], optional* bool,
    }

    DOWNWARD_API_PROJECTION "v1.DownwardAPIProjection" {
        items? [DOWNWARD_API_VOLUME_FILE],
    }

    CONFIG_MAP_PROJECTION "v1.ConfigMapProjection" {
        @LocalObjectReference name? string, items? [KEY_TO_PATH], optional* bool,
    }

    SERVICE_ACCOUNT_TOKEN_PROJECTION "v1.ServiceAccountTokenProjection" {
        audience? string, expirationSeconds* int64, path: string, user* int64,
    }

    CLUSTER_TRUST_BUNDLE_PROJECTION "v1.ClusterTrustBundleProjection" {
        name* string, signerName* string, labelSelector* LABEL_SELECTOR, optional* bool, path: string,
        user* int64,
    }

    POD_CERTIFICATE_PROJECTION "v1.PodCertificateProjection" {
        signerName? string, keyType? string, maxExpirationSeconds* int32, credentialBundlePath? string,
        keyPath? string, certificateChainPath? string, userAnnotations? {string}, user* int64,
    }

    PERSISTENT_VOLUME_CLAIM_SPEC "v1.PersistentVolumeClaimSpec" {
        accessModes? [(enum PersistentVolumeAccessMode)], selector* LABEL_SELECTOR,
        resources? VOLUME_RESOURCE_REQUIREMENTS, volumeName? string, storageClassName* string,
        volumeMode* (enum PersistentVolumeMode), dataSource* TYPED_LOCAL_OBJECT_REFERENCE,
        dataSourceRef* TYPED_OBJECT_REFERENCE, volumeAttributesClassName* string,
    }

    VOLUME_RESOURCE_REQUIREMENTS "v1.VolumeResourceRequirements" {
        limits? {quantity}, requests? {quantity},
    }

    TYPED_LOCAL_OBJECT_REFERENCE "v1.TypedLocalObjectReference" {
        apiGroup* string, kind: string, name: string,
    }

    TYPED_OBJECT_REFERENCE "v1.TypedObjectReference" {
        apiGroup* string, kind: string, name: string, namespace* string,
    }
}
