"""A Report in, OSCAL out: component definition, assessment plan and results, plan of action."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from policies.engine.model import SETTLED, Component, Finding, Report
from policies.report import evidence as evidences
from policies.report.evidence import Evidence
from policies.report.words import line

VERSION = "1.2.1"
NAMESPACE = "https://pci-gate.invalid/oscal"
SPACE = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)


def rendered(report: Report, evidence: Sequence[Evidence]) -> dict[str, str]:
    """Return each document as JSON, by the name of its file; without risks, no plan of action."""
    told = _Told(report, [each for each in evidence if each.findings])
    documents = {
        "component-definition": told.component_definition(),
        "assessment-plan": told.assessment_plan(),
        "assessment-results": told.assessment_results(),
    }
    if told.risks():
        documents["plan-of-action-and-milestones"] = told.plan_of_action()
    return {f"oscal/{name}.json": _json(name, body) for name, body in documents.items()}


def _json(name: str, body: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode({name: body}), indent=1).decode() + "\n"


def _id(*what: str) -> str:
    return str(uuid.uuid5(SPACE, "\0".join(what).encode(errors="backslashreplace").decode()))


def _control(requirement: str) -> str:
    """Return the id of a requirement as a token, which begins with a letter."""
    return "pci-" + re.sub(r"[^A-Za-z0-9._-]", "-", requirement)


STANDARD = {
    "uuid": _id("resource", "standard"),
    "title": "PCI DSS v4.0.1",
    "description": "There is no catalog of it in OSCAL; a control's id is pci- and its number.",
    "citation": {"text": "PCI Security Standards Council, PCI DSS v4.0.1, June 2024"},
}
TOOL = _id("component", "pci-gate")


class _Told:
    """What the documents say of one report; they share their components and observations."""

    def __init__(self, report: Report, evidence: Sequence[Evidence]) -> None:
        self.report = report
        self.evidence = evidence
        self.at = report.generated_at.isoformat(timespec="seconds").replace("+00:00", "Z")
        self.run = _id("run", self.at, *(document.sha256 for document in report.documents))
        self.requirements = tuple(dict.fromkeys(each.requirement.id for each in evidence))

    def metadata(self, title: str) -> dict[str, Any]:
        return {
            "title": title,
            "last-modified": self.at,
            "version": self.report.commit or "no commit",
            "oscal-version": VERSION,
        }

    def head(self, kind: str, title: str) -> dict[str, Any]:
        return {"uuid": _id(kind, self.run), "metadata": self.metadata(title)}

    def component_definition(self) -> dict[str, Any]:
        claimed: dict[str, list[Evidence]] = {}
        for each in self.evidence:
            for address in dict.fromkeys(finding.resource for finding in each.findings):
                claimed.setdefault(address, []).append(each)
        components = [
            {
                **_component(component),
                "control-implementations": [
                    {
                        "uuid": _id("implementation", component.address),
                        "source": f"#{STANDARD['uuid']}",
                        "description": "What the policies of pci-gate judged of it.",
                        "implemented-requirements": [
                            {
                                "uuid": _id("requirement", component.address, each.id),
                                "control-id": _control(each.requirement.id),
                                "description": line(f"{each.id}: {each.policy.title}"),
                            }
                            for each in claimed[component.address]
                        ],
                    }
                ],
            }
            for component in _once(self.report.inventory)
            if component.address in claimed
        ]
        body = self.head("component-definition", "Components of the judged infrastructure")
        if components:
            body["components"] = components
        return {**body, "back-matter": {"resources": [STANDARD]}}

    def reviewed(self) -> dict[str, Any]:
        ids = [{"control-id": _control(id)} for id in self.requirements]
        selection: dict[str, Any] = {"include-controls": ids} if ids else {"include-all": {}}
        return {"control-selections": [selection]}

    def assets(self) -> dict[str, Any]:
        tool = {
            "uuid": TOOL,
            "type": "software",
            "title": "pci-gate",
            "description": "Judges Terraform's documents by policies.",
            "status": {"state": "operational"},
        }
        platform = {"uuid": _id("platform"), "title": "pci-gate"}
        uses = [{"component-uuid": TOOL}]
        return {
            "components": [tool],
            "assessment-platforms": [{**platform, "uses-components": uses}],
        }

    def assessment_plan(self) -> dict[str, Any]:
        plan = {
            "uuid": _id("resource", "system"),
            "title": "The judged infrastructure",
            "description": "Terraform's documents stand for a system security plan.",
        }
        return {
            **self.head("assessment-plan", "Every policy on every resource"),
            "import-ssp": {"href": f"#{plan['uuid']}"},
            "reviewed-controls": self.reviewed(),
            "assessment-subjects": [{"type": "component", "include-all": {}}],
            "assessment-assets": self.assets(),
            "back-matter": {"resources": [STANDARD, plan]},
        }

    def assessment_results(self) -> dict[str, Any]:
        result = {
            "uuid": _id("result", self.run),
            "title": "pci-gate",
            "description": line("; ".join(evidences.stages(self.report))),
            "start": self.at,
            "end": self.at,
            "local-definitions": {
                "components": [
                    {**_component(each), "status": {"state": _state(each)}}
                    for each in _once(self.report.inventory)
                ],
                "assessment-assets": self.assets(),
            },
            "reviewed-controls": self.reviewed(),
            "observations": [self.observation(each) for each in self.evidence],
            "findings": self.findings(),
            "risks": self.risks(),
        }
        return {
            **self.head("assessment-results", "What the policies found"),
            "import-ap": {"href": "assessment-plan.json"},
            "results": [{key: value for key, value in result.items() if value}],
            "back-matter": {"resources": [STANDARD]},
        }

    def observation(self, each: Evidence) -> dict[str, Any]:
        known = {component.address for component in self.report.inventory}
        subjects = [
            {"subject-uuid": _id("component", address), "type": "component"}
            for address in dict.fromkeys(finding.resource for finding in each.findings)
            if address in known
        ]
        told = {
            "uuid": _id("observation", each.id),
            "title": each.id,
            "description": line(f"{each.policy.title} {each.status}; {each.strength.value}."),
            "methods": ["TEST"],
            "subjects": subjects,
            "relevant-evidence": [
                {
                    "href": "../results.json",
                    "description": line(f"Policy {each.policy.id}, {len(each.findings)} findings"),
                }
            ],
            "collected": self.at,
        }
        return {key: value for key, value in told.items() if value}

    def findings(self) -> list[dict[str, Any]]:
        """Say of each requirement that is judged directly whether what was judged is satisfied."""
        found = []
        for id, given in evidences.by_requirement(self.evidence).items():
            if any(each.strength == "direct" for each in given):
                is_met = not any(f.blocks for each in given for f in each.findings)
                state = {
                    "state": "satisfied" if is_met else "not-satisfied",
                    "reason": "pass" if is_met else "fail",
                }
                found.append(
                    {
                        "uuid": _id("finding", id),
                        "title": f"Requirement {id}",
                        "description": line(
                            f"Its automated evidence: {evidences.together(given)}."
                        ),
                        "target": {
                            "type": "objective-id",
                            "target-id": _control(id),
                            "status": state,
                        },
                        "related-observations": [
                            {"observation-uuid": _id("observation", each.id)} for each in given
                        ],
                    }
                )
        return found

    def risks(self) -> list[dict[str, Any]]:
        unsettled = [finding for finding in self.report.findings if finding.verdict not in SETTLED]
        return [_risk(finding) for finding in unsettled]

    def plan_of_action(self) -> dict[str, Any]:
        items = [
            {
                "uuid": _id("item", risk["uuid"]),
                "title": risk["title"],
                "description": risk["description"],
                "related-risks": [{"risk-uuid": risk["uuid"]}],
            }
            for risk in self.risks()
        ]
        return {
            **self.head("plan-of-action-and-milestones", "What is to be mended or is accepted"),
            "system-id": {
                "identifier-type": "http://ietf.org/rfc/rfc4122",
                "id": _id("system"),
            },
            "risks": self.risks(),
            "poam-items": items,
        }


def _once(inventory: Iterable[Component]) -> list[Component]:
    """Return each component once, whatever stages show it."""
    return list({component.address: component for component in inventory}.values())


def _component(component: Component) -> dict[str, Any]:
    return {
        "uuid": _id("component", component.address),
        "type": "service",
        "title": line(component.name or component.address),
        "description": line(f"{component.type} {component.address}"),
        "props": [
            {"name": "scope", "ns": NAMESPACE, "value": line(component.scope or "not stated")}
        ],
    }


def _state(component: Component) -> str:
    return "operational" if component.stage == "deployed" else "under-development"


def _risk(finding: Finding) -> dict[str, Any]:
    told = line("; ".join(finding.messages))
    risk: dict[str, Any] = {
        "uuid": _id("risk", finding.policy, finding.resource, finding.stage),
        "title": line(f"{finding.policy} {finding.resource} ({finding.stage.value})"),
        "description": told,
        "statement": line(f"{finding.verdict.value}: {told}"),
        "status": "deviation-approved" if finding.waiver else "open",
    }
    if finding.waiver:
        risk["deadline"] = f"{finding.waiver.expires_on}T23:59:59Z"
    return risk
