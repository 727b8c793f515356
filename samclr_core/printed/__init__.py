"""Pages as one HTML file each that needs no network, no script and no other file."""

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def render(package: str, template: str, **values: object) -> str:
    """The template of a package, which may use the macros of ``charts.html``."""
    pages = Environment(
        loader=ChoiceLoader(
            [PackageLoader(package, "."), PackageLoader("samclr_core.printed", ".")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template(template).render(**values)
