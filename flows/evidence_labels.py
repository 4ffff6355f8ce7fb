"""Labels in Chinese and English of what a hit carries: its section, kind and flags."""

from __future__ import annotations

from nlp.codes import CODES

KIND_LABELS = {code.name: (code.zh, code.en) for code in CODES}
# What the machine calls two of them.
KIND_LABELS |= {"own_action": KIND_LABELS["own"], "other_party": KIND_LABELS["other"]}
FURNITURE_LABELS = {
    "running_header": ("页眉页脚", "running header"),
    "page_number": ("页码", "page number"),
    "contents": ("目录", "contents"),
    "glossary": ("释义", "glossary"),
}
FLAG_LABELS = {
    "is_ocr": ("文字识别", "OCR page"),
    "org_name": ("机构名称", "name of an organisation"),
    "false_sense": ("另义", "another sense"),
    "negated": ("否定", "negated"),
    "person": ("人物履历", "a person"),
    "other_party": ("其他主体", "another party"),
    "context": ("背景", "context"),
    "plan": ("计划", "plan"),
}
SECTION_LABELS = {
    "important_notice": ("重要提示", "important notice"),
    "definitions": ("释义", "definitions"),
    "letter": ("致辞", "letter"),
    "financial_highlights": ("会计数据和财务指标", "financial highlights"),
    "company_profile": ("公司简介", "company profile"),
    "business_overview": ("业务概要", "business overview"),
    "mda": ("管理层讨论与分析", "management discussion"),
    "directors_report": ("董事会报告", "directors' report"),
    "supervisors_report": ("监事会报告", "supervisors' report"),
    "significant_events": ("重要事项", "significant events"),
    "preferred_shares": ("优先股", "preferred shares"),
    "convertible_bonds": ("可转换公司债券", "convertible bonds"),
    "bonds": ("公司债券", "bonds"),
    "shares": ("股份变动及股东", "shares and shareholders"),
    "directors": ("董监高和员工", "directors and staff"),
    "shareholder_meetings": ("股东大会", "shareholder meetings"),
    "internal_control": ("内部控制", "internal control"),
    "governance": ("公司治理", "governance"),
    "social_responsibility": ("社会责任", "social responsibility"),
    "related_parties": ("关联方", "related parties"),
    "confirmation": ("书面确认意见", "confirmation"),
    "reference_documents": ("备查文件", "reference documents"),
    "financial_report": ("财务报告", "financial report"),
    "appendix": ("附录", "appendix"),
    "other": ("其他", "other"),
    "mda_subpart": ("其中：管理层讨论", "the named part of it"),
    "": ("章节之外", "outside all sections"),
}
