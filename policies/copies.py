"""What is copied from a store of account data: snapshots, exports, replicas: encrypted like it."""

from __future__ import annotations

from policies import common

DATABASE_SNAPSHOTS = common.under_our_key(
    "Copies of a database's snapshots", "aws_db_snapshot_copy", "kms_key_id"
)
CLUSTER_SNAPSHOTS = common.under_our_key(
    "Copies of a cluster's snapshots", "aws_rds_cluster_snapshot_copy", "kms_key_id"
)
DATABASE_BACKUPS = common.under_our_key(
    "Backups of databases in another region",
    "aws_db_instance_automated_backups_replication",
    "kms_key_id",
)
WAREHOUSE_SNAPSHOTS = common.under_our_key(
    "Copies of a Redshift cluster's snapshots", "aws_redshift_snapshot_copy_grant", "kms_key_id"
)
MEMORY_SNAPSHOTS = common.under_our_key(
    "Snapshots of MemoryDB clusters", "aws_memorydb_snapshot", "kms_key_arn"
)
TABLE_REPLICAS = common.under_our_key(
    "Replicas of DynamoDB tables", "aws_dynamodb_table_replica", "kms_key_arn"
)
TABLE_EXPORTS = common.under_our_key(
    "Exports of DynamoDB tables", "aws_dynamodb_table_export", "s3_sse_kms_key_id"
)
FILE_SYSTEM_REPLICAS = common.under_our_key(
    "Replicas of EFS file systems", "aws_efs_replication_configuration", "destination.kms_key_id"
)
IMPORTED_VOLUMES = common.encrypted("Imported volumes", "aws_ebs_snapshot_import", "encrypted")
SNAPSHOTS_KEY = common.under_our_key("Copies of snapshots", "aws_ebs_snapshot_copy", "kms_key_id")
IMAGES_KEY = common.under_our_key("Copies of images", "aws_ami_copy", "kms_key_id")

BY_PLAN = common.blocks_encrypted(
    "Snapshots that are copied to another region by plan",
    "aws_dlm_lifecycle_policy",
    "policy_details.schedule.cross_region_copy_rule",
    "policy_details.action.cross_region_copy.encryption_configuration",
)
