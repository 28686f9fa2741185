"""What a policy says of itself on the terminal, to the letter."""

from policies.engine.model import Policy, part_of
from policies.engine.mutate import remove
from policies.report import explanation
from policies.requirements import requirements

POLICY = Policy(
    id="lamps.light",
    applies_to=("lamp", *(f"lamp_{number}" for number in range(6))),
    at_least=1,
    title=" ".join(["A lamp gives light."] * 6),
    why=" ".join(["Without light nobody sees."] * 5),
    claims=(part_of("1.2.5"),),
    example={"lamp": {"desk": {"light": True}}},
    violated_by=(remove("light"),),
    links=("https://example.com/lamps",),
)
TOLD = """\
lamps.light
  A lamp gives light. A lamp gives light. A lamp gives light. A lamp gives light. A lamp
  gives light. A lamp gives light.

  Without light nobody sees. Without light nobody sees. Without light nobody sees.
  Without light nobody sees. Without light nobody sees.

Requirements
  1.2.5     Every allowed service, protocol and port has a business need (one part of it)

Judges
  each lamp, lamp_0, lamp_1, lamp_2, lamp_3, lamp_4 and 1 more
  each stack of the house, for having at least 1 that comply

Broken by
  remove light

Complies
  {
    "lamp": {
      "desk": {
        "light": true
      }
    }
  }

See https://example.com/lamps
"""


def test_an_explanation_says_what_holds_and_why_and_what_breaks_it():
    told = explanation.render(POLICY, {each.id: each for each in requirements()})

    assert TOLD == told
