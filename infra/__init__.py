"""The platform: what we deploy, as CDKTF constructs."""

from infra import synth

synth.install()
