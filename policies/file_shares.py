"""Shares and volumes of Storage Gateway and FSx: for whom they are, and under whose key."""

from __future__ import annotations

from collections.abc import Iterator

from policies import common
from policies.aws import cidr
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of
from policies.engine.mutate import replace
from policies.engine.settings import states

NFS = "aws_storagegateway_nfs_file_share"
SMB = "aws_storagegateway_smb_file_share"

NFS_KEY = common.under_our_key("NFS shares", NFS, "kms_key_arn")
SMB_KEY = common.under_our_key("SMB shares", SMB, "kms_key_arn")
CACHED_VOLUMES_KEY = common.under_our_key(
    "Cached volumes of gateways", "aws_storagegateway_cached_iscsi_volume", "kms_key"
)
STORED_VOLUMES_KEY = common.under_our_key(
    "Stored volumes of gateways", "aws_storagegateway_stored_iscsi_volume", "kms_key"
)
FILE_CACHES_KEY = common.under_our_key("File caches", "aws_fsx_file_cache", "kms_key_id")


def lets_in_whom_it_lists(share: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    NFS shares list clients of ours.

    NFS believes whoever reaches it.
    """
    for block in share.get("client_list") or ():
        if cidr.names_internet(block):
            yield Violation(f"client_list holds {block}", share, "client_list")


NFS_CLIENTS = Policy(
    checks=lets_in_whom_it_lists,
    applies_to=NFS,
    claims=(part_of("7.3.1"), part_of("1.3.1")),
    example={NFS: {"cde": {"client_list": ["10.40.0.0/16"]}}},
    violated_by=(replace("client_list", ["10.40.0.0/16", "0.0.0.0/0"]),),
)
SMB_GUESTS = states(
    SMB,
    "authentication",
    "ActiveDirectory",
    otherwise="ActiveDirectory",
    refused=("GuestAccess",),
    title="SMB shares know who mounts them.",
    why="A guest's password is one that everybody shares.",
    claims=(part_of("7.3.1"),),
)
