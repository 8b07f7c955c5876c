{#- Text that sorts by its bytes, whatever the database's collation. -#}
{% macro in_byte_order(text) -%} {{ text }} collate "C" {%- endmacro %}
