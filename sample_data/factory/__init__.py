"""The rendered sample factory: geometry, finishes, scenes, rendering and export."""
