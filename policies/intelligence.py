"""What learns from account data, or answers from it: Bedrock, Comprehend, Kendra, SageMaker."""

from __future__ import annotations

from policies import common
from policies.engine.model import part_of
from policies.engine.settings import states

CLASSIFIERS = ("aws_comprehend_document_classifier", "aws_comprehend_entity_recognizer")
QUALITY = "aws_sagemaker_data_quality_job_definition"

AGENTS_KEY = common.under_our_key(
    "Bedrock agents and their prompts",
    ("aws_bedrockagent_agent", "aws_bedrockagent_prompt"),
    "customer_encryption_key_arn",
)
GUARDRAILS_KEY = common.under_our_key("Bedrock guardrails", "aws_bedrock_guardrail", "kms_key_arn")
CUSTOM_MODELS_KEY = common.under_our_key(
    "Bedrock models of our own", "aws_bedrock_custom_model", "custom_model_kms_key_id"
)
SOURCES_KEY = common.under_our_key(
    "What Bedrock read from its sources",
    "aws_bedrockagent_data_source",
    "server_side_encryption_configuration.kms_key_arn",
)
MODELS_KEY = common.under_our_key("Comprehend models", CLASSIFIERS, "model_kms_key_id")
TRAINING_KEY = common.under_our_key(
    "Volumes that Comprehend models are trained on", CLASSIFIERS, "volume_kms_key_id"
)
INDEXES_KEY = common.under_our_key(
    "Kendra indexes", "aws_kendra_index", "server_side_encryption_configuration.kms_key_id"
)
STUDIO_KEY = common.under_our_key("SageMaker studios", "aws_sagemaker_domain", "kms_key_id")
FEATURES_KEY = common.under_our_key(
    "SageMaker features that are asked online",
    "aws_sagemaker_feature_group",
    "online_store_config.security_config.kms_key_id",
)
REVIEWS_KEY = common.under_our_key(
    "What people answer to SageMaker", "aws_sagemaker_flow_definition", "output_config.kms_key_id"
)
QUALITY_KEY = common.under_our_key(
    "Reports on the quality of data", QUALITY, "data_quality_job_output_config.kms_key_id"
)
QUALITY_VOLUMES_KEY = common.under_our_key(
    "Volumes that the quality of data is looked at on",
    QUALITY,
    "job_resources.cluster_config.volume_kms_key_id",
)
QUALITY_TRAFFIC = states(
    QUALITY,
    "network_config.enable_inter_container_traffic_encryption",
    True,
    title="Jobs that look at the quality of data encrypt what they tell each other.",
    why="They read the data itself.",
    claims=(part_of("4.2.1"),),
)
