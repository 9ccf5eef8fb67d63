"""How Sphinx makes the site of the pages that Scripts/docs has laid out."""

import re

project = "Highland"
html_title = "Highland"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"

# The slugs of GitHub, so that a link to a heading works in both.
myst_heading_anchors = 5
myst_enable_extensions = ["html_image"]
# A file of the repository that is no page, and one of the site: resolved after the build, as paths depend on the page.
myst_url_schemes = ["http", "https", "mailto", "source", "site"]
suppress_warnings = ["myst.header"]
highlight_language = "none"
smartquotes = False

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["highland.css"]
html_copy_source = False
html_use_index = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#00527f", "color-brand-content": "#0072b2"},
    "dark_css_variables": {"color-brand-primary": "#6cb8e6", "color-brand-content": "#56b4e9"},
}
pygments_style = "friendly"
pygments_dark_style = "monokai"


def setup(app):
    app.connect("html-page-context", name_markdown)


def name_markdown(app, name, template, context, tree):
    """Says in the head of a page where its Markdown is."""
    if tree is not None:
        path = re.sub(r"[^/]+/", "../", name)[: 3 * name.count("/")] + name + ".md"
        context["metatags"] = context.get("metatags", "") + (
            f'<link rel="alternate" type="text/markdown" href="{path}">')
