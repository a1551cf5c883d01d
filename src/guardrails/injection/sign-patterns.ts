import type { InstructionPattern } from "./instruction-pattern.ts";

/** Patterns over the text as it is, for what is told by its signs, and for other languages. */
export const signPatterns: readonly InstructionPattern[] = [
  {
    kind: "fake-turn",
    weight: 0.8,
    pattern:
      /<\|(?:im_start|im_end|system|endoftext|eot_id|start_header_id)\|>|\[\/?INST\]|<<\/?SYS>>|<\/?(?:system|assistant)(?:[-_ ](?:prompt|message))?>/i,
  },
  { kind: "fake-turn", weight: 0.6, pattern: /#{2,} ?(?:Instruction|Response|System|Human|Assistant) ?:/i },
  { kind: "fake-turn", weight: 0.6, pattern: /"role"\s{0,5}:\s{0,5}"(?:system|developer)"/i },
  {
    kind: "fake-turn",
    weight: 0.5,
    pattern:
      /\n\s{0,4}(?:system|assistant|human|developer)\s?: ?[^\n]{0,200}\b(?:you|disclose|sure|user|ignore|must)\b/i,
  },
  { kind: "fake-turn", weight: 0.6, pattern: /\bassistant to=\w{1,40}|\[system\]\s?\(#|\bsystem override\b/i },
  {
    kind: "fake-turn",
    weight: 0.5,
    pattern:
      /\bend of (?:user )?(?:input|document|prompt|context|conversation|file)\b[^a-z0-9]{1,20}(?:new|admin|system|begin)/i,
  },
  { kind: "addressed-to-model", weight: 0.5, pattern: /<(?:important|instructions?|hidden|secret|critical)>/i },
  {
    kind: "exfiltration",
    weight: 0.6,
    pattern: /!\[[^\]\n]{0,100}\]\(https?:\/\/[^)\s]{1,300}[?=/](?:<|\{|%7b|\[|\$)/i,
  },
  {
    kind: "exfiltration",
    weight: 0.5,
    pattern:
      /https?:\/\/[^\s"')]{1,300}[?&](?:d|q|data|c|p|leak)=(?:<|\{|BASE64|YOUR|CHAT)?[^\s"')]{0,60}(?:conversation|chat|history|secret|base64|\bfollowed by\b|$)/i,
  },
  {
    kind: "addressed-to-model",
    weight: 0.55,
    pattern: /<!--[^>]{0,400}\b(?:assistant|language model|llm|ai|agent)\b/i,
  },
  {
    kind: "addressed-to-model",
    weight: 0.5,
    pattern:
      /[[(<]\s{0,4}(?:(?:note|hidden|instructions?|message|system)\b[^\])>\n:]{0,30}\b)?(?:ai|llm|assistants?|bot|agents?|language models?|summari[sz]ers?)\b[^\])>\n:]{0,30}:/i,
  },
  {
    kind: "addressed-to-model",
    weight: 0.5,
    pattern:
      /(?:^|[.\n] ?)(?:(?:message|note|notice|memo|report)s? (?:from|to|for) |to )(?:the |all )?[\w -]{0,30}\b(?:agents?|bots?|ai|llm|assistants?|models?|summari[sz]ers?)\s?:/i,
  },
  // The same in other languages: a verb of leaving, and what is to be left or told.
  {
    kind: "override",
    weight: 0.8,
    pattern:
      /(?:ignorier|missacht|vergiss|überspring)\w{0,6}\b[^.\n]{0,50}\b(?:anweisung|regel|vorgabe|instruktion|gesagt|befehl)/i,
  },
  {
    kind: "override",
    weight: 0.8,
    pattern:
      /(?:ignore[rz]?|oublie[rz]?|ne tiens? pas compte|ne suis plus)[^.\n]{0,40}(?:instructions? (?:pr|ci)|consignes?|tes règles|vos règles|ce qui précède)/i,
  },
  {
    kind: "override",
    weight: 0.8,
    pattern:
      /(?:ignora|olvida|descarta|omite)\w{0,4}\b[^.\n]{0,40}(?:instrucciones|reglas|anterior|te dijeron|indicaciones)/i,
  },
  {
    kind: "override",
    weight: 0.8,
    pattern:
      /(?:ignora|dimentica|trascura)\w{0,4}\b[^.\n]{0,40}(?:istruzioni|regole|indicazioni)|(?:ignore|esqueça|desconsidere)\b[^.\n]{0,40}(?:instruções|regras|foi dito)/i,
  },
  {
    kind: "override",
    weight: 0.8,
    pattern:
      /(?:negeer|vergeet)\b[^.\n]{0,40}(?:instructies|regels|opdrachten)|(?:zignoruj|zapomnij)[^.\n]{0,40}(?:polecenia|instrukcj|zasad)|talimatlar[^.\n]{0,20}(?:yok say|görmezden gel|unut)/i,
  },
  {
    kind: "override",
    weight: 0.8,
    pattern: /(?:игнорируй|забудь|не обращай внимания)[^.\n]{0,40}(?:инструкци|правил|указани|команд)/i,
  },
  {
    kind: "override",
    weight: 0.8,
    pattern:
      /(?:忽略|忘记|无视|忽視|無視)[^。\n]{0,15}(?:指令|规则|規則|提示|指示|说明)|(?:指示|命令|ルール)[^。\n]{0,8}(?:無視|忘れ)|(?:지시|명령|규칙)[^.\n]{0,10}(?:무시|잊)/,
  },
  {
    kind: "override",
    weight: 0.8,
    pattern: /(?:تجاهل|انس)[^.\n]{0,30}(?:التعليمات|القواعد|الأوامر)|(?:निर्देशों|नियमों)[^।\n]{0,20}(?:अनदेखा|भूल|नज़रअंदाज़)/,
  },
  {
    kind: "persona",
    weight: 0.6,
    pattern:
      /(?:ohne (?:jede )?(?:regeln|einschränkung\w{0,2}|filter)|sans (?:aucune )?(?:limites?|restrictions?|filtres?)|sin (?:ninguna )?(?:restricci\w{2,4}|límites|reglas|filtros)|senza (?:alcuna )?(?:restrizion\w|limiti|regole)|sem (?:limites|restrições|regras)|без (?:ограничений|правил|фильтров)|没有任何(?:限制|规则))/i,
  },
  {
    kind: "prompt-theft",
    weight: 0.6,
    pattern:
      /(?:zeig|gib|nenn|affiche|montre|révèle|muestra|revela|mostra\w{0,3}|toon|laat|pokaż|покажи|выведи|告诉我|显示|göster|表示|보여|اعرض|दिखाओ)[^.。\n]{0,40}(?:system-?\s?prompt|prompt|message système|reglas ocultas|промпт|系统提示|istem|システムプロンプト|프롬프트|تعليمات|प्रॉम्प्ट|regras internas)/i,
  },
];
